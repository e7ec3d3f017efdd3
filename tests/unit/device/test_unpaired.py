"""Which unpaired statements a device accepts: docs/protocol.md, section 10, by its vectors."""

import json
from typing import Any

import pytest

from authenticator.device.state import Account, State, new_account
from authenticator.device.trust import Distrust, KeysNeeded, judge_unpaired
from schemas.contract import Purpose
from tests.builders import present
from tests.unit.protocol import make_vectors
from tests.unit.protocol.builders import DEVICE, NOW, some_claims

VECTORS: dict[str, Any] = json.loads(make_vectors.FILE.read_text(encoding="utf-8"))["unpaired"]
FINE: str = VECTORS["statement"]["jws"]


def judged(
    statement: str, *, served: frozenset[str] | None = None, **changes: object
) -> Account | Distrust | KeysNeeded:
    """Return what a device that is paired as the vectors say decides."""
    account = present(new_account(some_claims(Purpose.PAIRING), NOW))
    state = State(device_name="Pixel 9").with_account(account.model_copy(update={**VECTORS["account"], **changes}))
    return judge_unpaired(statement, state=state, device_id=DEVICE.public.thumbprint, served=served)


def why(case: dict[str, Any]) -> str:
    """Return what a case is about."""
    return str(case["why"])


def test_statement_by_a_pinned_key_removes_the_account() -> None:
    removed = judged(FINE, keys=tuple(VECTORS["account"]["keys"]))
    assert isinstance(removed, Account)
    assert removed.pairing_id == VECTORS["account"]["pairing_id"]


@pytest.mark.parametrize("case", [*VECTORS["refused"], *VECTORS["ignored"]], ids=why)
def test_invalid_statement_removes_nothing(case: dict[str, Any]) -> None:
    served = frozenset(VECTORS["account"]["keys"])
    assert isinstance(judged(case["jws"], served=served), Distrust)


def test_statement_by_a_rotated_key_removes_the_account() -> None:
    assert judged(FINE, keys=()) == KeysNeeded(VECTORS["account"]["issuer"])
    assert judged(FINE, keys=(), served=frozenset()) is Distrust.UNKNOWN_KEY
    assert isinstance(judged(FINE, keys=(), served=frozenset(VECTORS["account"]["keys"])), Account)


def test_account_without_a_pairing_id_stays() -> None:
    assert judged(FINE, pairing_id=None) is Distrust.OTHER_PAIRING
