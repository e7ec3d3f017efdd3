"""Checks typed verification codes: which method and time step they belong to. The account's owner decides on them."""

from dataclasses import dataclass
from datetime import datetime

from protocol.verification_codes import find_step
from services.common.keys.keys import AgreementKeys
from services.common.keys.sealing import Sealer, SealError
from services.login.codes.recovery_codes import RecoveryCodes
from services.login.domain.account import Account
from services.login.domain.methods import AuthenticatorApp, Device
from services.login.sign_in.passwords import HashingTurn


@dataclass(frozen=True, slots=True)
class MatchedCode:
    """The phone or app, and the time step, that a code belongs to."""

    method_id: str
    time_step: int


class CodeChecks:
    """Checks codes."""

    def __init__(self, agreement_keys: AgreementKeys, sealer: Sealer, recovery_codes: RecoveryCodes) -> None:
        self._agreement_keys = agreement_keys
        self._sealer = sealer
        self._recovery_codes = recovery_codes

    def find(self, account: Account, typed: str, at: datetime) -> MatchedCode | None:
        """Return the method and time step of a typed code.

        None means that no method of the account matches; of several, the least recently used one counts.
        """
        found: list[MatchedCode] = []
        for method in sorted(account.methods, key=lambda each: each.last_time_step):
            secret = self._secret(account, method)
            step = None if secret is None else find_step(secret, typed, at)
            if step is not None:
                found.append(MatchedCode(method.method_id, step))
        return found[0] if found else None

    async def recovery_digest(self, turn: HashingTurn, account: Account, typed: str) -> str | None:
        """Return a typed recovery code's digest under the account's salt, or None if the text cannot be a code.

        Raises:
            UnavailableError: If too many calls wait to be hashed.

        """
        if account.recovery is None:
            return None
        recovery = account.recovery
        return await self._recovery_codes.digest(turn, typed, recovery.salt, recovery.pepper_id)

    def _secret(self, account: Account, method: Device | AuthenticatorApp) -> bytes | None:
        if isinstance(method, AuthenticatorApp):
            return self.app_secret(account.account_id, method.method_id, method.sealed_secret)
        if method.agreement_key is None or method.agreement_key_id is None:
            return None
        ours = self._agreement_keys.find(method.agreement_key_id)
        return None if ours is None else ours.code_secret(method.agreement_key, method.pairing_id)

    def app_secret(self, account_id: str, method_id: str, sealed: str) -> bytes | None:
        """Return an app's secret, or None if it was not sealed for this account and app."""
        try:
            return bytes.fromhex(self._sealer.open(sealed, _context(account_id, method_id)))
        except SealError:
            return None

    def seal_app_secret(self, account_id: str, method_id: str, secret: bytes) -> str:
        """Return an app's secret, sealed for its account and app."""
        return self._sealer.seal(secret.hex(), _context(account_id, method_id))


def _context(account_id: str, method_id: str) -> tuple[str, ...]:
    return ("authenticator app", account_id, method_id)
