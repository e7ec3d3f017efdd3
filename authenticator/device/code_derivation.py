"""Verification codes of accounts (docs/protocol.md section 9). Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from authenticator.device.errors import NoCodesError
from authenticator.device.state import Account
from protocol.agreement import AgreementPrivateKey
from protocol.verification_codes import STEP_SECONDS, code_at, step_at


@dataclass(frozen=True, slots=True)
class VerificationCode:
    """A verification code.

    Attributes:
        code: Six digits.
        seconds_left: How long it remains the current one, 1 to 30.

    """

    code: str = field(repr=False)
    seconds_left: int


def code_of(account: Account, own: AgreementPrivateKey, now: datetime) -> VerificationCode:
    """Return an account's code, from the device's agreement key and the service's time.

    Raises:
        NoCodesError: If the account has no codes.

    """
    if account.agreement is None or account.pairing_id is None:
        raise NoCodesError(account.service, account.account_name)
    secret = own.code_secret(account.agreement, account.pairing_id)
    step = step_at(now)
    return VerificationCode(code_at(secret, step), (step + 1) * STEP_SECONDS - int(now.timestamp()))
