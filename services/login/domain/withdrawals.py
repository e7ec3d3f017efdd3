"""Taking back from phones what needs no answer any more."""

from collections.abc import Iterable
from datetime import datetime

from schemas.contract import ChallengeWithdrawn, PairingWithdrawn
from services.login.domain.logins import Login, LoginState
from services.login.domain.rows import Account


def waits_for_phone(login: Login, at: datetime) -> bool:
    """Tell whether the phone can still accept the phrase that was entered in a login."""
    attempt = login.pairing
    return (
        login.state is LoginState.PAIRING
        and attempt is not None
        and attempt.failure is None
        and at <= attempt.expires_at
    )


def withdrawn_prompts(account: Account) -> tuple[ChallengeWithdrawn, ...]:
    """Return what takes an account's open request back from the phone, if there is one."""
    login = account.open_prompt()
    if login is None or login.prompt is None:
        return ()
    return (ChallengeWithdrawn(challenge_id=login.prompt.challenge_id, device_id=login.prompt.device_id),)


def withdrawn(
    account: Account, logins: Iterable[Login], at: datetime
) -> tuple[ChallengeWithdrawn | PairingWithdrawn, ...]:
    """Return what takes back whatever some of an account's logins still ask of phones."""
    leaving = tuple(logins)
    prompts = withdrawn_prompts(account) if account.open_prompt() in leaving else ()
    return (*prompts, *withdrawn_pairings(leaving, at))


def withdrawn_pairings(logins: Iterable[Login], at: datetime) -> tuple[PairingWithdrawn, ...]:
    """Return what takes the pairings back from their phones for which logins still wait."""
    return tuple(
        PairingWithdrawn(phrase_digest=login.pairing.phrase_digest, pairing_id=login.pairing.pairing_id)
        for login in logins
        if login.pairing is not None and waits_for_phone(login, at)
    )
