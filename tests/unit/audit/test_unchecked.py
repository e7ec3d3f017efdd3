"""An audit counts unchecked records by reason, and reports no finding for records that Kafka has deleted."""

from dataclasses import replace
from datetime import timedelta

import pytest

from operations.audit.audit import LogAudit
from operations.audit.policies import Policies
from operations.audit.record_store import SLACK
from operations.audit.report import Checked, Unchecked
from operations.audit.time_range import TimeRange, read_moment
from schemas.codec import Record, encode
from schemas.login_messages import FailPassword, SignIn
from services.common.decisions import REMEMBERED_COMMANDS
from services.common.kafka.dead_letters import OFFSET, PARTITION, SERVICE
from services.login.domain.policy import Policy
from tests.builders import T0, a_key, an_event, pairing_policy, policy
from tests.model.memory_kafka import ACCOUNTS, POLICIES
from tests.unit.audit.history import RecordedWorld, Story, a_story, of_type


@pytest.fixture
def world() -> RecordedWorld:
    """Return a valid history."""
    return a_story().world


def test_events_that_have_expired_are_counted_as_unchecked(world: RecordedWorld) -> None:
    gone = [each for each in world.records["login.commands"] if each.at < of_type(world, FailPassword).at]
    for each in gone:
        world.drop(each)
    store = world.record_store()
    store.complete_since["login.commands", 0] = of_type(world, FailPassword).at - SLACK
    report = LogAudit(store, POLICIES, TimeRange()).run()
    assert report.findings == []
    assert report.unchecked[Unchecked.EVENT_GONE] >= len(gone) - 1
    assert report.checked[Checked.ROW] > 0


def test_messages_that_have_expired_are_counted_as_unchecked(world: RecordedWorld) -> None:
    store = world.record_store()
    store.database.execute("DELETE FROM records WHERE topic = 'pairing.requested'")
    store.complete_since["pairing.requested", 0] = world.now
    report = LogAudit(store, POLICIES, TimeRange()).run()
    assert report.findings == []
    assert report.unchecked == {Unchecked.MESSAGE_GONE: 1, Unchecked.EVENT_GONE: 1}


def test_rows_whose_predecessors_were_compacted_are_counted() -> None:
    _story, world = mistype_often()
    rows = [each for each in world.rows_of(ACCOUNTS) if each.key == b"alex"]
    for row in rows[:-1]:
        world.drop(row)
    report = world.audit()
    assert report.findings == []
    assert report.unchecked[Unchecked.ROW_COMPACTED] == 1


def mistype_often() -> tuple[Story, RecordedWorld]:
    """Return a valid history of an account whose row has forgotten commands."""
    story = a_story()
    for _ in range(REMEMBERED_COMMANDS):
        story.then(lambda: story.people.mistype_password("alex"), 3700)
    return story, story.world


def test_an_event_that_came_too_late_for_its_row_was_decided() -> None:
    """Its sender's clock was an hour behind, and the row had forgotten a newer one by then."""
    story, world = mistype_often()
    late = an_event(of_type(world, FailPassword).event().data, at=T0, event_id="late")
    story.then(lambda: world.publish(late))
    report = world.audit()
    assert (report.findings, report.checked[Checked.OUTDATED]) == ([], 1)


def test_an_event_that_was_lost_is_named_although_its_row_has_forgotten_newer_ones_since(world: RecordedWorld) -> None:
    lost = an_event(of_type(world, FailPassword).event().data, at=world.now, event_id="lost")
    world.keep(encode(lost))
    for _ in range(2 * REMEMBERED_COMMANDS):
        world.pass_time(3700)
        world.command(lost.data.model_copy(update={"at": world.now}))
        world.settle()
    assert world.finding().why == "login/accounts neither decided nor dead-lettered it"


def test_what_is_not_committed_is_still_to_come(world: RecordedWorld) -> None:
    world.command(of_type(world, FailPassword).event().data)
    report = world.audit()
    assert (report.findings, report.unchecked) == ([], {Unchecked.PENDING: 1})


def test_a_dead_letter_need_not_be_decided(world: RecordedWorld) -> None:
    record = encode(an_event(of_type(world, FailPassword).event().data, at=world.now, event_id="unusable"))
    world.keep(record)
    place = [(PARTITION, b"0"), (OFFSET, b"%d" % of_type(world, FailPassword).offset), (SERVICE, b"login")]
    world.keep(Record("login.commands.dlq", record.key, record.value, [*record.headers, *place]))
    report = world.audit()
    assert (report.findings, report.checked[Checked.DEAD_LETTERED]) == ([], 1)


def test_only_the_span_is_checked_and_nothing_is_no_success(world: RecordedWorld) -> None:
    world.write(ACCOUNTS, b"alex", b"{}")
    planted = world.now.replace(microsecond=0)
    assert world.audit(TimeRange(since=planted)).found == 1
    before = world.audit(TimeRange(until=planted - timedelta(seconds=1)))
    assert (before.found, before.follows) == (0, True)
    later = world.audit(TimeRange(since=planted + timedelta(seconds=1)))
    assert (later.found, later.checked.total(), later.follows) == (0, 0, False)


def rotated(*names: str) -> Policies:
    """Return the policies of a login service with these keys, the first one active."""
    keys = [a_key(name) for name in names]
    login: Policy = policy(key=keys[0], accepted_keys=tuple(each.public.thumbprint for each in keys))
    return replace(POLICIES, login=login)


def test_what_an_earlier_key_signed_follows_as_long_as_the_key_is_known(world: RecordedWorld) -> None:
    assert world.audit(policies=rotated("a new key", "login service")).findings == []
    report = world.audit(policies=rotated("a new key"))
    assert any("which is not a key of the login service" in each.why for each in report.findings)


def test_what_was_decided_by_other_settings_does_not_follow(world: RecordedWorld) -> None:
    stricter = Policies(policy(login_seconds=5 * 60), pairing_policy(), POLICIES.agreement_keys)
    first, *_ = world.audit(policies=stricter).findings
    sign_in = of_type(world, SignIn, 0).event().id
    assert first.why == f"by the rules, the event {sign_in} leads to a row that differs in logins"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", T0 - timedelta(seconds=90)),
        ("7d", T0 - timedelta(days=7)),
        ("2026-03-02T10:00+01:00", T0),
        ("2026-03-02T09:00:00Z", T0),
    ],
)
def test_a_moment_is_read_or_counted_back_from_now(text: str, moment: object) -> None:
    assert read_moment(text, T0) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-03-02T09:00", "5", "5w", "-5m", "9999999d"])
def test_an_invalid_moment_is_rejected_with_the_valid_formats(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither a duration \(90s, 30m, 12h, 7d\) nor a moment"):
        read_moment(text, T0)
