"""Verification codes of the accounts, made with no network: docs/protocol.md section 9. No input or output."""

from dataclasses import dataclass, field
from datetime import datetime

from authenticator.device.errors import NoCodesError
from authenticator.device.state import Account
from protocol.agreement import AgreementPrivateKey
from protocol.verification_codes import STEP_SECONDS, code_at, step_at


@dataclass(frozen=True, slots=True)
class VerificationCode:
    """A code as the person types it at the computer.

    Attributes:
        code: Six digits.
        seconds_left: For how many seconds it is the current one, 1 to 30.

    """

    code: str = field(repr=False)
    seconds_left: int


def code_of(account: Account, own: AgreementPrivateKey, now: datetime) -> VerificationCode:
    """Return the code of an account.

    Args:
        account: The account.
        own: The device's key pair for the secrets of verification codes.
        now: The service's time.

    Raises:
        NoCodesError: If the account has none.

    """
    if account.agreement is None or account.pairing_id is None:
        raise NoCodesError(account.service, account.account_name)
    secret = own.code_secret(account.agreement, account.pairing_id)
    step = step_at(now)
    return VerificationCode(code_at(secret, step), (step + 1) * STEP_SECONDS - int(now.timestamp()))
