"""Whatever happens and however often it comes: each login, request and pairing is counted once."""

from hypothesis import given

from services.common.telemetry.metrics import Metrics
from services.login.domain.login import LoginState
from services.login.metrics import AccountTally
from tests.unit.flow.script import Action, act_with_repeats, repeats_between, scripts
from tests.unit.flow.world import ACCOUNTS, World


@given(scripts, repeats_between)
def test_what_began_has_ended_or_is_still_open(script: list[Action], repeats: list[tuple[int, int]]) -> None:
    world = act_with_repeats(script, repeats)
    counted = tallied(world)
    logins = [login for row in world.rows(ACCOUNTS).values() for login in row.logins]
    challenged = [login for login in logins if login.state is LoginState.CHALLENGED]
    pairing = [each for each in logins if each.state is LoginState.PAIRING and each.pairing.failure is None]
    assert counted["logins_begun"] == counted["logins"] + sum(1 for login in logins if not login.over)
    assert counted["login_challenges_sent"] == counted["login_challenges"] + len(challenged)
    assert counted["pairings_begun"] == counted["pairings"] + len(pairing)


def tallied(world: World) -> dict[str, float]:
    """Return what was counted of the accounts, by metric, over all labels."""
    metrics = Metrics()
    tally = AccountTally(metrics)
    for each in world.decisions:
        # Repeats as well, which the owner leaves out: the rows alone must tell that nothing happened.
        if each.table is ACCOUNTS:
            tally.count(each.before, each.event, each.decision)
    totals: dict[str, float] = {}
    for family in metrics.registry.collect():
        name = family.name.removeprefix("countersign_")
        totals[name] = sum(sample.value for sample in family.samples if sample.name.endswith("_total"))
    return totals
