"""What a device stores about its accounts and challenges."""

import pytest

from authenticator.device.state import HISTORY_LENGTH, ChallengeOutcome, PhraseRequest, State, new_account
from schemas.contract import Purpose, Verdict
from tests.builders import present
from tests.unit.protocol.builders import ISSUER, NOW, SERVICE, some_claims

PAIRING = some_claims(Purpose.PAIRING)


def test_account_pins_the_issuer_of_its_pairing() -> None:
    account = present(new_account(PAIRING, NOW))
    assert (account.issuer, account.keys) == (ISSUER, (SERVICE.public.thumbprint,))


def test_login_creates_no_account() -> None:
    assert new_account(some_claims(), NOW) is None


def test_pairing_again_replaces_the_account() -> None:
    first, renamed = new_account(PAIRING, NOW), new_account(some_claims(Purpose.PAIRING, account_name="anna"), NOW)
    state = State(device_name="Pixel 9").with_account(present(first)).with_account(present(renamed))
    assert [account.account_name for account in state.accounts] == ["anna"]


def test_same_account_id_at_another_issuer_is_another_account() -> None:
    account = present(new_account(PAIRING, NOW))
    other = account.model_copy(update={"issuer": "http://login.example.org"})
    state = State(device_name="Pixel 9").with_account(account).with_account(other)
    assert state.account(ISSUER, account.account_id) == account
    assert state.account("http://login.example.org", account.account_id) == other
    pinned = state.with_pinned(ISSUER, account.account_id, "A" * 43)
    assert pinned.account("http://login.example.org", account.account_id) == other


def test_phrase_is_used_by_its_pairing_but_not_by_a_login() -> None:
    state = State(device_name="Pixel 9", phrase=PhraseRequest(asked_at=NOW, expires_at=NOW))
    assert state.with_ended(some_claims(), ChallengeOutcome.APPROVED, NOW).phrase is not None
    assert state.with_ended(PAIRING, ChallengeOutcome.DENIED, NOW).phrase is None


@pytest.mark.parametrize("outcome", [ChallengeOutcome.EXPIRED, ChallengeOutcome.WITHDRAWN])
def test_unanswered_pairing_may_be_repeated(outcome: ChallengeOutcome) -> None:
    state = State(device_name="Pixel 9", phrase=PhraseRequest(asked_at=NOW, expires_at=NOW))
    ended = state.with_ended(PAIRING, outcome, NOW)
    assert ended.phrase is not None
    assert not ended.is_final(PAIRING.jti)
    answered = ended.with_ended(PAIRING, ChallengeOutcome.APPROVED, NOW)
    assert answered.is_final(PAIRING.jti)
    assert [entry.outcome for entry in answered.history] == [ChallengeOutcome.APPROVED]


def test_removal_leaves_its_pairing_in_the_history() -> None:
    account = present(new_account(PAIRING, NOW))
    paired = State(device_name="Pixel 9").with_account(account).with_ended(PAIRING, ChallengeOutcome.APPROVED, NOW)
    assert [entry.outcome for entry in paired.with_removed(account, NOW).history] == ["approved", "removed"]


def test_history_is_bounded_and_keeps_the_newest() -> None:
    state = State(device_name="Pixel 9")
    for number in range(HISTORY_LENGTH + 3):
        state = state.with_ended(some_claims(jti=f"challenge-{number}"), ChallengeOutcome.APPROVED, NOW)
    assert len(state.history) == HISTORY_LENGTH
    assert state.history[-1].challenge_id == f"challenge-{HISTORY_LENGTH + 2}"
    assert not state.is_final("challenge-0")
    assert state.is_final("challenge-100")


def test_each_verdict_has_its_outcome() -> None:
    assert [ChallengeOutcome.of(verdict) for verdict in Verdict] == [
        ChallengeOutcome.APPROVED,
        ChallengeOutcome.DENIED,
        ChallengeOutcome.REPORTED,
    ]


def test_account_paired_again_is_not_removed() -> None:
    old = present(new_account(PAIRING, NOW))
    again = old.model_copy(update={"pairing_id": "a-later-one"})
    state = State(device_name="Pixel 9").with_account(again)
    assert state.with_removed(old, NOW) == state
    assert state.with_removed(again, NOW).accounts == ()


def test_account_without_a_pairing_id_is_not_removed() -> None:
    account = present(new_account(PAIRING, NOW))
    state = State(device_name="Pixel 9").with_account(account.model_copy(update={"pairing_id": None}))
    assert state.with_removed(account.model_copy(update={"pairing_id": None}), NOW) == state


def test_clock_offset_is_kept_from_one_second() -> None:
    state = State(device_name="Pixel 9").with_clock(0.9)
    assert state.clock_offset_seconds == 0
    assert state.with_clock(-10800.5).clock_offset_seconds == -10800.5


@pytest.mark.parametrize("name", ["", " ", "P" * 61])
def test_device_name_is_checked(name: str) -> None:
    with pytest.raises(ValueError, match="device_name"):
        State(device_name="Pixel 9").with_names(device_name=name)
