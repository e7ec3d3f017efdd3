"""The columns of what the terminal device lists."""

from authenticator.device.code_derivation import VerificationCode
from authenticator.device.state import Account, Entry
from authenticator.device.terminal import local_time


def account_row(account: Account) -> dict[str, str]:
    """Return the columns of an account."""
    return {
        "service": account.service,
        "account": account.account_name,
        "account_id": account.account_id,
        "issuer": account.issuer,
        "paired": local_time(account.paired_at),
    }


def code_row(account: Account, code: VerificationCode) -> dict[str, str | int]:
    """Return the columns of a verification code."""
    return {
        "service": account.service,
        "account": account.account_name,
        "code": code.code,
        "seconds_left": code.seconds_left,
    }


def entry_row(entry: Entry) -> dict[str, str]:
    """Return the columns of a request that ended, or of an account that was removed."""
    return {
        "when": local_time(entry.at),
        "request": entry.purpose,
        "outcome": entry.outcome,
        "service": entry.service,
        "account": entry.account_name,
        "browser": "" if entry.browser is None else entry.browser.name,
        "address": "" if entry.browser is None else entry.browser.address,
    }
