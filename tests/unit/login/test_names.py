"""Sign-in names: the first one to claim a name has it, and a name that is claimed has an account, or is free again."""

import pytest

from protocol.challenges import verify_challenge
from schemas.base import Message
from schemas.contract import PairingRequested
from schemas.login_messages import ChangeName, OpenAccount, ReleaseName
from services.common.decisions import OK, Decision, decide_once
from services.login.domain.account import Account
from services.login.domain.decide import decide_account
from services.login.domain.names import Name, decide_name
from services.login.domain.rejections import Rejection
from tests.builders import a_digest, after, an_account, an_event, policy, present
from tests.events import only
from tests.messages import a_pairing_start, a_sign_in
from tests.rows import as_seen, without_memory
from tests.session_messages import a_changed_name, a_creation, a_new_name, a_release, a_removal, an_opening
from tests.unit.login.owner import Owner

ALEX = a_digest("alex")


def _claimed(*messages: Message) -> tuple[Name | None, list[Decision[Name]]]:
    row, decisions = None, []
    for message in messages:
        decision = decide_once(row, an_event(message), lambda known, each: decide_name(known, each, policy()))
        row = decision.row
        decisions.append(decision)
    return row, decisions


def _decided(row: Account | None, message: Message) -> Decision[Account]:
    event = an_event(as_seen(row, message))
    return decide_once(row, event, lambda known, each: decide_account(known, each, policy()))


def test_a_claim_opens_the_account_under_its_id() -> None:
    row, (decision,) = _claimed(a_creation(account_id="random", email="alex@example.org"))
    opening = only(decision.events, OpenAccount)
    assert present(row).account_id == opening.account_id == opening.key == "random"
    assert opening == an_opening(account_id="random", email="alex@example.org")


def test_the_first_one_to_claim_a_name_has_it() -> None:
    row, (_, second) = _claimed(a_creation(account_id="first"), a_creation(account_id="second"))
    assert (second.outcome, second.events) == (Rejection.NAME_TAKEN, ())
    assert present(row).account_id == "first"


def test_a_crash_between_claim_and_opening_opens_the_account_all_the_same() -> None:
    event = an_event(a_creation())
    first = decide_once(None, event, lambda known, each: decide_name(known, each, policy()))
    again = decide_once(first.row, event, lambda known, each: decide_name(known, each, policy()))
    assert again.events == first.events
    assert again.row == first.row


def test_a_released_name_can_be_claimed_by_another_account() -> None:
    row, decisions = _claimed(a_creation(account_id="first"), a_release(account_id="first"), a_creation(account_id="b"))
    assert [each.outcome for each in decisions] == [OK] * 3
    assert present(row).account_id == "b"


def test_only_the_account_that_has_a_name_releases_it() -> None:
    row, _ = _claimed(a_creation(account_id="first"), a_release(account_id="other"))
    assert present(row).account_id == "first"
    assert _claimed(a_release())[0] is None


def test_a_removal_frees_the_name() -> None:
    released = only(_decided(an_account(paired=False), a_removal(after(1))).events, ReleaseName)
    assert released == a_release(after(1))


@pytest.mark.parametrize("late", [an_opening(), a_changed_name("alex")], ids=["opening", "rename"])
def test_an_account_that_was_removed_meanwhile_stays_removed_and_frees_the_name(late: Message) -> None:
    removed = present(_decided(None, a_removal()).row)
    decision = _decided(removed, late)
    assert only(decision.events, ReleaseName).name_digest == ALEX
    assert without_memory(present(decision.row)) == without_memory(removed)


def test_a_name_whose_account_was_never_opened_is_freed_by_a_removal() -> None:
    decision = _decided(None, a_removal())
    assert (decision.outcome, decision.events) == (OK, (a_release(),))
    assert present(decision.row).removed_at == after()
    repeated = _decided(decision.row, a_removal(after(1)))
    assert (repeated.outcome, repeated.events) == (OK, (a_release(after(1)),))


def test_a_renamed_account_keeps_all_but_its_name() -> None:
    row, (decision,) = _claimed(a_new_name("bo"))
    assert present(row).account_id == "alex"
    changed = only(decision.events, ChangeName)
    owner = Owner()
    before = owner.account
    assert owner.take(changed).events == (a_release(),)
    assert (owner.account.name, owner.account.name_digest) == ("bo", a_digest("bo"))
    assert (owner.account.account_id, owner.account.devices) == (before.account_id, before.devices)


def test_a_taken_name_is_no_new_name() -> None:
    _, (_, decision) = _claimed(a_creation(name_digest=a_digest("bo"), account_id="other"), a_new_name("bo"))
    assert (decision.outcome, decision.events) == (Rejection.NAME_TAKEN, ())


@pytest.mark.parametrize(
    ("display_name", "shown"), [("Alex Smith", "Alex Smith (alex-admin)"), ("Alex-Admin", "Alex-Admin")]
)
def test_a_phone_tells_two_accounts_of_one_person_apart(display_name: str, shown: str) -> None:
    owner = Owner(an_account(name="alex-admin", display_name=display_name))
    claims, _ = verify_challenge(owner.challenge(a_sign_in()))
    assert claims.account_name == shown
    new = Owner(an_account(paired=False, name="alex-admin", display_name=display_name))
    new.take(a_sign_in())
    assert only(new.take(a_pairing_start()).events, PairingRequested).account_name == shown


def test_other_messages_leave_a_name_unchanged() -> None:
    row, _ = _claimed(a_creation())
    assert decide_name(row, an_event(an_opening()), policy()) == Decision(row)
