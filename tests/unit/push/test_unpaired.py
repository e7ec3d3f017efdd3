"""After a pairing ended, its phone gets a statement, and the account's earlier challenges are withdrawn."""

from dataclasses import asdict
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.unpaired import Unpaired, issue_unpaired
from schemas.base import Message
from schemas.contract import Purpose
from schemas.push_messages import TellUnpaired
from services.common.decisions import OK, UnacceptableError
from services.push.domain.channel import MOST_UNPAIRED, Channel
from services.push.domain.decide import decide_channel
from services.push.domain.unpaired import relay_unpaired
from tests.builders import LOGIN_URL, T0, a_digest, a_key, a_phone, after, an_event
from tests.events import a_challenge, a_login_challenge, an_ended_challenge, an_issued_challenge, an_unpairing
from tests.messages import a_parting
from tests.unit.push.channel_history import a_channel, channel_after, take


def _unpaired(channel: Channel) -> list[str]:
    return [each.pairing_id for each in channel.unpaired]


def _waiting(channel: Channel) -> list[str]:
    return [each.challenge_id for each in channel.pending]


def test_an_unpairing_is_relayed_to_its_device() -> None:
    unpaired = an_unpairing()
    assert relay_unpaired(an_event(unpaired, at=after(5))) == (a_parting(unpaired, after(5)),)


def test_an_event_without_a_statement_is_not_relayed() -> None:
    assert relay_unpaired(an_event(an_unpairing(statement=None))) == ()
    assert relay_unpaired(an_event(an_issued_challenge())) == ()


@pytest.mark.parametrize("row", [None, a_channel()])
def test_a_statement_is_kept_even_for_an_unknown_device(row: Channel | None) -> None:
    decision = take(row, a_parting())
    assert (decision.outcome, decision.events) == (OK, ())
    assert decision.row is not None
    assert decision.row.device_id == a_phone().device_id
    assert [asdict(each) for each in decision.row.unpaired] == [
        {"pairing_id": "pairing-1", "statement": an_unpairing().statement}
    ]


def test_the_accounts_earlier_challenges_are_withdrawn() -> None:
    issued = an_issued_challenge()
    pairing = an_issued_challenge("pairing-2", purpose=Purpose.PAIRING, challenge=a_challenge(jti="pairing-2"))
    channel = channel_after(issued, pairing)
    decision = take(channel, a_parting())
    assert decision.events == ()
    assert decision.row is not None
    assert decision.row.pending == ()


@pytest.mark.parametrize(
    "challenge",
    [
        a_login_challenge(account_id="zoe"),
        a_login_challenge(iss="http://another.test"),
        a_challenge(account_id="zoe"),
        a_challenge(login_issuer=None),
        a_login_challenge(iat=int(after(1).timestamp())),
        a_login_challenge()[:-8] + "AAAAAAAA",
    ],
    ids=["account", "issuer", "pairing of another account", "pairing with another issuer", "later", "forged"],
)
def test_other_and_later_challenges_stay_pending(challenge: str) -> None:
    issued = an_issued_challenge(challenge=challenge)
    assert _waiting(channel_after(issued, a_parting())) == ["challenge-1"]


def test_the_rest_of_the_channel_stays_unchanged() -> None:
    issued = an_issued_challenge()
    before = channel_after(issued, an_ended_challenge(issued))
    after_it = channel_after(a_parting(), begin=before)
    assert (after_it.device_name, after_it.ended) == (before.device_name, before.ended)


def test_a_repeated_unpairing_changes_nothing() -> None:
    once = channel_after(a_parting())
    asked = channel_after(an_issued_challenge(), begin=once)
    again = take(asked, a_parting())
    assert again.events == ()
    assert again.row is not None
    assert again.row.unpaired == once.unpaired
    assert _waiting(again.row) == ["challenge-1"]


def test_the_latest_unpairings_are_kept() -> None:
    pairings = [f"pairing-{number}" for number in range(MOST_UNPAIRED + 3)]
    channel = channel_after(*(a_parting(an_unpairing(pairing)) for pairing in pairings))
    assert _unpaired(channel) == pairings[-MOST_UNPAIRED:]


def _statement(**changes: object) -> str:
    fields = {"iss": LOGIN_URL, "aud": a_phone().device_id, "iat": int(T0.timestamp())}
    claims = {**fields, "account_id": "alex", "pairing_id": "pairing-1", **changes}
    return issue_unpaired(a_key("login service"), Unpaired.model_validate(claims))


@pytest.mark.parametrize(
    "statement",
    [
        _statement()[:-8] + "AAAAAAAA",
        a_login_challenge(),
        "a.b.c",
        _statement(aud=a_digest("another device")),
        _statement(account_id="zoe"),
        _statement(pairing_id="pairing-2"),
    ],
    ids=["altered", "another message", "junk", "device", "account", "pairing"],
)
@pytest.mark.parametrize("row", [None, a_channel(), channel_after(a_parting())])
def test_a_forged_statement_is_dead_lettered(row: Channel | None, statement: str) -> None:
    with pytest.raises(UnacceptableError, match="statement"):
        decide_channel(row, an_event(a_parting(statement=statement)))


def _what_comes(number: int) -> Message:
    """Return one of the things that come to a channel, in the order of time."""
    at: datetime = after(number)
    if number % 2 == 0:
        return a_parting(an_unpairing(f"pairing-{number}", at=at), at)
    challenge = a_login_challenge(jti=f"challenge-{number}", iat=int(at.timestamp()))
    return an_issued_challenge(f"challenge-{number}", at, challenge=challenge)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_repeated_unpairings_in_any_order_change_nothing(repeats: list[tuple[int, int]]) -> None:
    messages = [_what_comes(number) for number in range(8)]
    expected = channel_after(*messages)
    channel: Channel | None = a_channel()
    for place, message in enumerate(messages):
        channel = take(channel, message).row
        for _, which in (each for each in repeats if each[0] == place):
            earlier = messages[which % (place + 1)]
            channel = take(channel, earlier).row if isinstance(earlier, TellUnpaired) else channel
    assert channel is not None
    assert (channel.unpaired, channel.pending) == (expected.unpaired, expected.pending)
    assert _waiting(channel) == ["challenge-7"]
