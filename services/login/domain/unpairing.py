"""Telling a phone that it no longer answers for an account."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from protocol.unpaired import Unpaired, issue_unpaired
from schemas.contract import DeviceUnpaired
from services.login.domain.limits import Rules
from services.login.domain.methods import Device

REMOVED: Final = "removed"
TOO_LATE: Final = "too_late"


def unpaired(
    account_id: str, devices: Iterable[Device], at: datetime, rules: Rules, reason: str = REMOVED
) -> tuple[DeviceUnpaired, ...]:
    """Return what tells phones that they no longer answer for an account.

    Args:
        account_id: The account.
        devices: The phones.
        at: When that was decided.
        rules: Who signs the statement.
        reason: Why, in a word.

    """
    return tuple(
        DeviceUnpaired(
            account_id=account_id,
            device_id=device.device_id,
            pairing_id=device.pairing_id,
            reason=reason,
            statement=issue_unpaired(rules.key, _statement(account_id, device, at, rules)),
        )
        for device in devices
    )


def _statement(account_id: str, device: Device, at: datetime, rules: Rules) -> Unpaired:
    return Unpaired(
        iss=rules.issuer,
        aud=device.device_id,
        iat=int(at.timestamp()),
        account_id=account_id,
        pairing_id=device.pairing_id,
    )
