"""Which word of parting a device believes: docs/protocol.md section 10. No input or output."""

from collections.abc import Set as AbstractSet

from authenticator.device.state import Account, State
from authenticator.device.trust import Distrust, KeysNeeded
from protocol.jose import SignatureError
from protocol.unpaired import verify_unpaired


def judge_unpaired(
    statement: str, *, state: State, device_id: str, served: AbstractSet[str] | None = None
) -> Account | Distrust | KeysNeeded:
    """Decide whether an account is removed because its service says so.

    Args:
        statement: The compact JWS as it came.
        state: What the device remembers.
        device_id: The device's own id.
        served: Thumbprints of the key set that ``KeysNeeded`` asked for, fetched just now; None before.

    Returns:
        The account that is to be removed, or why none is, or whose keys to fetch first.

    """
    try:
        said, key = verify_unpaired(statement)
    except SignatureError:
        return Distrust.BAD_SIGNATURE
    if said.aud != device_id:
        return Distrust.OTHER_DEVICE
    account = state.account(said.iss, said.account_id)
    if account is None or account.pairing_id != said.pairing_id:
        return Distrust.NOT_PAIRED if account is None else Distrust.OTHER_PAIRING
    if key not in account.keys and served is None:
        return KeysNeeded(said.iss)
    return account if key in {*account.keys, *(served or ())} else Distrust.UNKNOWN_KEY
