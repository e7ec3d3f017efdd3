"""Messages to phones when a challenge or a pairing ends without them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from protocol.unpaired import Unpaired
from schemas.contract import ChallengeWithdrawn, DeviceUnpaired, PairingWithdrawn
from services.login.domain.login import Login, LoginState
from services.login.domain.methods import Device
from services.login.domain.policy import Signer

REMOVED: Final = "removed"
TOO_LATE: Final = "too_late"


def withdrawn(logins: Iterable[Login], at: datetime) -> tuple[ChallengeWithdrawn | PairingWithdrawn, ...]:
    """Return the withdrawals of the open challenges and pairings of logins, as they were before they ended."""
    ended = tuple(logins)
    challenges = tuple(
        ChallengeWithdrawn(challenge_id=login.challenge.challenge_id, device_id=login.challenge.device_id)
        for login in ended
        if login.state is LoginState.CHALLENGED and login.challenge is not None
    )
    pairings = tuple(
        PairingWithdrawn(phrase_digest=login.pairing.phrase_digest, pairing_id=login.pairing.pairing_id)
        for login in ended
        if login.pairing is not None and login.waits_for_phone(at)
    )
    return (*challenges, *pairings)


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


def _statement(account_id: str, device: Device, at: datetime, signer: Signer) -> Unpaired:
    return Unpaired(
        iss=signer.issuer,
        aud=device.device_id,
        iat=int(at.timestamp()),
        account_id=account_id,
        pairing_id=device.pairing_id,
    )
