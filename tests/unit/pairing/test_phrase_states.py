"""The diagram of a phrase's states is what the rules do: each message in each state moves it so, or not at all."""

from pathlib import Path
from typing import Final

import pytest

from schemas.base import Message
from schemas.contract import PairingWithdrawn, Verdict
from schemas.pairing_messages import RetirePhrase
from services.pairing.domain import phrase
from services.pairing.domain.phrase import Phrase, PhraseState
from tests.builders import a_phone, after, present
from tests.events import PHRASE, a_pairing_request, a_response
from tests.messages import an_issue
from tests.state_diagrams import START, Move, diagrams, moves_of
from tests.unit.pairing.phrase_history import decide, history

ARCHITECTURE: Final = Path(__file__).parents[3] / "ARCHITECTURE.md"
DIAGRAM: Final = diagrams(phrase.__doc__ or "")[0]
RETIRED: Final = RetirePhrase(phrase_digest=PHRASE, device_id=a_phone().device_id, at=after(1))
WITHDRAWN: Final = PairingWithdrawn(phrase_digest=PHRASE, pairing_id="pairing-1")
CLAIMED: Final = (an_issue(), a_pairing_request(at=after(1)))


def _answer(verdict: Verdict) -> Message:
    claimed = present(history(*CLAIMED))
    return a_response(present(claimed.claim).challenge, verdict, after(2))


IN_STATE: Final[dict[str, tuple[Message, ...]]] = {
    START: (),
    PhraseState.ISSUED: (an_issue(),),
    PhraseState.RETIRED: (an_issue(), RETIRED),
    PhraseState.CLAIMED: CLAIMED,
    PhraseState.WITHDRAWN: (*CLAIMED, WITHDRAWN),
    PhraseState.ACCEPTED: (*CLAIMED, _answer(Verdict.APPROVE)),
    PhraseState.DECLINED: (*CLAIMED, _answer(Verdict.DENY)),
}
MESSAGES: Final = (
    an_issue(after(3)),
    RETIRED,
    a_pairing_request(at=after(3)),
    WITHDRAWN,
    *(_answer(verdict) for verdict in Verdict),
)


def _state(row: Phrase | None) -> str:
    return START if row is None else row.state


def test_the_architecture_document_has_the_diagram() -> None:
    assert DIAGRAM in diagrams(ARCHITECTURE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("state", IN_STATE)
def test_each_state_is_reached(state: str) -> None:
    assert _state(history(*IN_STATE[state])) == state


def test_the_moves_are_those_of_the_diagram() -> None:
    assert {START, *PhraseState} == IN_STATE.keys()
    moves: set[Move] = set()
    for state, earlier in IN_STATE.items():
        for message in MESSAGES:
            after_it = _state(decide(history(*earlier), message).row)
            if after_it != state:
                moves.add((state, type(message).__name__, after_it))
    assert moves == moves_of(DIAGRAM)
