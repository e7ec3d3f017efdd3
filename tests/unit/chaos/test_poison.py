"""What is planted as corrupt cannot be used, for the reason that the check expects; what is not, is as it was."""

import pytest

from lab.chaos.claims.dead_letters import REASONS
from lab.chaos.poison import CORRUPT, Draft, Poison, spoil
from schemas.codec import UndecodableError, decode, encode
from schemas.contract import AuthResponse
from services.common.decisions import UnacceptableError
from services.common.proofs import read_proof
from services.common.rows.fence import Fence, Stamp, stamp_of
from tests.builders import a_key, an_event
from tests.events import a_challenge, a_response

ACCEPTED = frozenset({a_key("pairing service").public.thumbprint})


def a_draft() -> Draft:
    record = encode(an_event(a_response(a_challenge())))
    return Draft(record.key, record.value, dict(record.headers))


@pytest.mark.parametrize("poison", sorted(CORRUPT - {Poison.FORGED}))
def test_a_corrupt_record_is_no_message(poison: Poison) -> None:
    spoilt = spoil(poison, a_draft())
    with pytest.raises(UndecodableError, match=REASONS[poison]):
        decode(spoilt.key, spoilt.value, spoilt.headers.items())


def test_a_forged_answer_is_a_message_that_proves_nothing() -> None:
    draft = a_draft()
    forged = spoil(Poison.FORGED, draft)
    event = decode(forged.key, forged.value, forged.headers.items())
    assert event.id.encode() != draft.headers["ce_id"]
    assert isinstance(event.data, AuthResponse)
    with pytest.raises(UnacceptableError, match=REASONS[Poison.FORGED]):
        read_proof(event.data, ACCEPTED)


def test_a_void_row_counts_nowhere_and_is_as_it_was_else() -> None:
    owner = Stamp(5, "a" * 22)
    spoilt = spoil(Poison.VOID, Draft(b"alex", b"{}", {"other": b"x", **dict([owner.header()])}))
    stamp = stamp_of(spoilt.headers.items())
    assert stamp is not None
    assert not Fence(owner.term, owner.owner).judge(stamp, tombstone=False)[1]
    assert (spoilt.key, spoilt.value, spoilt.headers["other"]) == (b"alex", b"{}", b"x")


@pytest.mark.parametrize("poison", [Poison.DUPLICATE, Poison.REORDERED])
def test_a_repeated_record_is_as_it_was(poison: Poison) -> None:
    draft = a_draft()
    assert spoil(poison, draft) == draft
