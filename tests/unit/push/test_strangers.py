"""Devices that no account is paired with leave nothing behind."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Message
from schemas.contract import ChallengeIssued, ChallengeOutcome, Purpose
from schemas.push_messages import ForgetDevice, RegisterDevice
from services.push.domain.channel import KEPT_UNPAIRED, Channel
from services.push.tables import CHANNELS
from tests.builders import a_phone, after, an_event, present
from tests.events import an_ended_challenge, an_issued_challenge
from tests.messages import a_parting
from tests.unit.push.channel_history import channel_after, take

LATER = after(minutes=2) + KEPT_UNPAIRED + timedelta(minutes=10)


def _a_pairing(challenge_id: str = "pairing-1") -> ChallengeIssued:
    return an_issued_challenge(challenge_id).model_copy(update={"purpose": Purpose.PAIRING})


def _forgetting(at: datetime) -> ForgetDevice:
    return ForgetDevice(device_id=a_phone().device_id, at=at)


def _is_swept(row: Channel, at: datetime) -> bool:
    sweep = present(CHANNELS.sweep)
    command = sweep.forget(row, at, None)
    gone = take(row, _forgetting(at)).row is None
    assert (command is not None) == gone
    return gone


@given(st.lists(st.sampled_from(["", "a", "b"]), max_size=5))
def test_a_device_that_only_connects_has_no_row(names: list[str]) -> None:
    row: Channel | None = None
    for name in names:
        row = take(row, RegisterDevice(device_id=a_phone().device_id, at=after(), device_name=name)).row
    assert row is None


def test_the_challenge_of_a_pairing_begins_a_channel_and_tells_nothing_of_its_delivery() -> None:
    decision = take(None, _a_pairing())
    assert decision.events == ()
    assert present(decision.row).waiting("pairing-1")


@pytest.mark.parametrize("outcome", [each for each in ChallengeOutcome if each is not ChallengeOutcome.APPROVED])
def test_a_channel_whose_pairing_fails_is_forgotten(outcome: ChallengeOutcome) -> None:
    issued = _a_pairing()
    row = channel_after(an_ended_challenge(issued, outcome), begin=present(take(None, issued).row))
    assert not row.paired
    assert not _is_swept(row, after(minutes=59))
    assert _is_swept(row, LATER)


def test_a_channel_whose_pairing_is_not_answered_is_forgotten() -> None:
    assert _is_swept(present(take(None, _a_pairing()).row), LATER)


@pytest.mark.parametrize(
    "messages",
    [
        (_a_pairing(), an_ended_challenge(_a_pairing(), ChallengeOutcome.APPROVED)),
        (an_issued_challenge(),),
        (_a_pairing(), a_parting()),
    ],
    ids=["paired", "challenged by a login", "with a statement that it has not heard for sure"],
)
def test_a_paired_device_is_kept(messages: tuple[Message, ...]) -> None:
    row = None
    for message in messages:
        row = take(row, message).row
    assert not _is_swept(present(row), LATER + timedelta(days=1000))


def test_a_device_that_is_gone_is_forgotten_again_without_harm() -> None:
    assert take(None, _forgetting(LATER)).row is None
    row = present(take(None, an_issued_challenge()).row)
    event = an_event(_forgetting(LATER))
    assert take(row, event.data).row is not None
