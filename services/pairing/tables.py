"""The pairing service's tables and topics."""

from datetime import datetime
from typing import Final

from schemas.contract import ChallengeEnded, ChallengeIssued, DevicePaired, PairingFailed, Purpose
from schemas.pairing_messages import ForgetRequester, IssuePhrase, RetirePhrase
from schemas.topics import AUTH_RESPONSE, PAIRING, PAIRING_COMMANDS, PAIRING_PHRASES, PAIRING_REQUESTED
from services.common.rows.table import ServiceTopology, Sweep, Table
from services.pairing.domain.phrase import KEPT, Phrase, decide_phrase
from services.pairing.domain.policy import PairingPolicy
from services.pairing.domain.requester import Requester, decide_requester, is_quiet


def _forget_ended(row: Phrase, at: datetime, _policy: PairingPolicy) -> RetirePhrase | None:
    if at <= row.end + KEPT:
        return None
    return RetirePhrase(phrase_digest=row.phrase_digest, device_id=row.device_id, at=at)


def _forget_quiet(row: Requester, at: datetime, policy: PairingPolicy) -> ForgetRequester | None:
    return ForgetRequester(device_id=row.device_id, at=at) if is_quiet(row, at, policy.limits) else None


REQUESTERS: Final = Table(
    PAIRING,
    "requesters",
    Requester,
    decide_requester,
    reads=(PAIRING_COMMANDS,),
    writes=(IssuePhrase, RetirePhrase),
    sweep=Sweep(_forget_quiet, batch_size=1000),
)
"""Devices that request phrases, by device id."""
PHRASES: Final = Table(
    PAIRING,
    "phrases",
    Phrase,
    decide_phrase,
    reads=(PAIRING_PHRASES, PAIRING_REQUESTED, AUTH_RESPONSE),
    writes=(ChallengeIssued, ChallengeEnded, DevicePaired, PairingFailed),
    sweep=Sweep(_forget_ended, batch_size=1000),
    only={"purpose": Purpose.PAIRING},
)
"""Phrases, by their digest."""
TOPOLOGY: Final = ServiceTopology(
    PAIRING, (REQUESTERS, PHRASES), commands=(PAIRING_COMMANDS,), web_writes=(RetirePhrase,)
)
