"""Taking back from phones what needs no answer any more."""

from collections.abc import Iterable
from datetime import datetime

from schemas.contract import ChallengeWithdrawn, PairingWithdrawn
from services.login.domain.login import Login, LoginState


def waits_for_phone(login: Login, at: datetime) -> bool:
    """Tell whether the phone can still accept the phrase that was entered in a login."""
    attempt = login.pairing
    return (
        login.state is LoginState.PAIRING
        and attempt is not None
        and attempt.failure is None
        and at <= attempt.expires_at
    )


def withdrawn(logins: Iterable[Login], at: datetime) -> tuple[ChallengeWithdrawn | PairingWithdrawn, ...]:
    """Return what takes back whatever logins still ask of phones.

    Args:
        logins: Those that ask no more, as they stood while they asked.
        at: Now.

    """
    leaving = tuple(logins)
    challenges = tuple(
        ChallengeWithdrawn(challenge_id=login.challenge.challenge_id, device_id=login.challenge.device_id)
        for login in leaving
        if login.state is LoginState.CHALLENGED and login.challenge is not None
    )
    pairings = tuple(
        PairingWithdrawn(phrase_digest=login.pairing.phrase_digest, pairing_id=login.pairing.pairing_id)
        for login in leaving
        if login.pairing is not None and waits_for_phone(login, at)
    )
    return (*challenges, *pairings)
