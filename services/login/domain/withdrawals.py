"""Messages to phones when a challenge or a pairing ends without them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from protocol.unpaired import Unpaired
from schemas.contract import (
    ChallengeEnded,
    ChallengeOutcome,
    DeviceUnpaired,
    PairingWithdrawn,
    Verdict,
)
from services.login.domain.history import Method
from services.login.domain.login import EndReason, Login, LoginChallenge, LoginState
from services.login.domain.methods import Device
from services.login.domain.policy import Signer

REMOVED: Final = "removed"
TOO_LATE: Final = "too_late"


_OUTCOMES: Final[Mapping[EndReason | None, ChallengeOutcome]] = {
    EndReason.DENIED: ChallengeOutcome.DENIED,
    EndReason.WRONG_NUMBER: ChallengeOutcome.WRONG_NUMBER,
    EndReason.REPORTED: ChallengeOutcome.REPORTED,
    EndReason.NOT_ANSWERED: ChallengeOutcome.EXPIRED,
}
"""How the challenge of an ended login ended; otherwise it was withdrawn."""


def withdrawn(
    logins: Iterable[Login], at: datetime, outcome: ChallengeOutcome = ChallengeOutcome.WITHDRAWN
) -> tuple[ChallengeEnded | PairingWithdrawn, ...]:
    """Return the ends of the open challenges and pairings of logins, as they were before they ended without the phone.

    Args:
        logins: The logins.
        at: The time.
        outcome: How the challenges ended.

    """
    ended = tuple(logins)
    challenges = tuple(
        _ended(login.challenge, outcome)
        for login in ended
        if login.state is LoginState.CHALLENGED and login.challenge is not None
    )
    pairings = tuple(
        PairingWithdrawn(phrase_digest=login.pairing.phrase_digest, pairing_id=login.pairing.pairing_id)
        for login in ended
        if login.pairing is not None and login.waits_for_phone(at)
    )
    return (*challenges, *pairings)


def answered(login: Login) -> tuple[ChallengeEnded, ...]:
    """Return how the challenge of a login ended, for the device that answered it; nothing while it is open."""
    if login.challenge is None or login.state is LoginState.CHALLENGED:
        return ()
    if login.challenge.verdict is Verdict.REPORT:
        return (_ended(login.challenge, ChallengeOutcome.REPORTED),)
    if login.state is LoginState.APPROVED:
        by_phone = login.method is Method.PUSH
        outcome = ChallengeOutcome.APPROVED if by_phone else ChallengeOutcome.ANSWERED_ELSEWHERE
    else:
        outcome = _OUTCOMES.get(login.end_reason, ChallengeOutcome.WITHDRAWN)
    return (_ended(login.challenge, outcome),)


def unpaired(
    account_id: str, devices: Iterable[Device], at: datetime, signer: Signer, reason: str = REMOVED
) -> tuple[DeviceUnpaired, ...]:
    """Return the signed statements that phones are no longer paired with an account; REMOVED or TOO_LATE."""
    return tuple(
        DeviceUnpaired(
            account_id=account_id,
            device_id=device.device_id,
            pairing_id=device.pairing_id,
            reason=reason,
            statement=signer.sign_unpaired(_statement(account_id, device, at, signer)),
        )
        for device in devices
    )


def _ended(challenge: LoginChallenge, outcome: ChallengeOutcome) -> ChallengeEnded:
    return ChallengeEnded(
        challenge_id=challenge.challenge_id,
        device_id=challenge.device_id,
        outcome=outcome,
        verdict=challenge.verdict,
        answer_id=challenge.answer_id,
    )


def _statement(account_id: str, device: Device, at: datetime, signer: Signer) -> Unpaired:
    return Unpaired(
        iss=signer.issuer,
        aud=device.device_id,
        iat=int(at.timestamp()),
        account_id=account_id,
        pairing_id=device.pairing_id,
    )
