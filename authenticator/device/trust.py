"""Trust in challenges and in statements that a pairing ended (docs/protocol.md sections 6 and 10). Pure."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from authenticator.device.state import Account, State
from protocol.challenges import Claims, verify_challenge
from protocol.jose import SignatureError
from protocol.signed_requests import TOLERANCE_SECONDS
from protocol.unpaired import verify_unpaired
from schemas.contract import Purpose

CLOCK_TOLERANCE: Final = timedelta(seconds=TOLERANCE_SECONDS)
"""The tolerated difference between the device's and a service's time; beyond it, services refuse requests."""


class Distrust(StrEnum):
    """Why a challenge is not shown, or an account not removed."""

    BAD_SIGNATURE = "its signature does not hold"
    OTHER_DEVICE = "it is for another device"
    EXPIRED = "it has expired"
    NO_PHRASE = "this device did not ask for a pairing phrase"
    NO_ISSUER = "it does not name the issuer of the account's challenges"
    NOT_PAIRED = "this device is not paired with that account of that issuer"
    OTHER_PAIRING = "it is about another pairing with that account"
    UNKNOWN_KEY = "its issuer does not publish its key"


@dataclass(frozen=True, slots=True)
class Trusted:
    """A challenge that may be shown.

    Attributes:
        claims: Its claims.
        newly_pinned: A new key of its issuer to pin, or None.

    """

    claims: Claims
    newly_pinned: str | None = None


@dataclass(frozen=True, slots=True)
class KeysNeeded:
    """The judgement depends on the key set that an issuer serves now."""

    issuer: str


Judgement = Trusted | Distrust | KeysNeeded


def judge(  # noqa: PLR0913 - all that the decision depends on
    challenge: str,
    *,
    state: State,
    device_id: str,
    now: datetime,
    pairing_url: str,
    served: AbstractSet[str] | None = None,
) -> Judgement:
    """Decide whether a challenge may be shown.

    Args:
        challenge: The compact JWS.
        state: The device's state.
        device_id: The device's id.
        now: The service's time; if it is uncertain, the earliest possible one.
        pairing_url: The pairing service's URL, from the push service.
        served: Thumbprints of the key set that `KeysNeeded` asked for; None before it was fetched.

    """
    try:
        claims, key = verify_challenge(challenge)
    except SignatureError:
        return Distrust.BAD_SIGNATURE
    if claims.aud != device_id:
        return Distrust.OTHER_DEVICE
    if now >= claims.expires_at:
        return Distrust.EXPIRED
    if claims.purpose is Purpose.PAIRING:
        return _judge_pairing(claims, key, state, pairing_url, served)
    return _judge_login(claims, key, state, served)


def judge_unpaired(
    statement: str, *, state: State, device_id: str, served: AbstractSet[str] | None = None
) -> Account | Distrust | KeysNeeded:
    """Decide whether a statement that a pairing ended removes an account (docs/protocol.md section 10).

    Args:
        statement: The compact JWS.
        state: The device's state.
        device_id: The device's id.
        served: Thumbprints of the key set that `KeysNeeded` asked for; None before it was fetched.

    Returns:
        The account to remove, or why none is removed, or whose keys are needed.

    """
    try:
        claims, key = verify_unpaired(statement)
    except SignatureError:
        return Distrust.BAD_SIGNATURE
    if claims.aud != device_id:
        return Distrust.OTHER_DEVICE
    account = state.account(claims.iss, claims.account_id)
    if account is None or account.pairing_id != claims.pairing_id:
        return Distrust.NOT_PAIRED if account is None else Distrust.OTHER_PAIRING
    if key not in account.keys and served is None:
        return KeysNeeded(claims.iss)
    return account if key in {*account.keys, *(served or ())} else Distrust.UNKNOWN_KEY


def _judge_pairing(
    claims: Claims, key: str, state: State, pairing_url: str, served: AbstractSet[str] | None
) -> Judgement:
    phrase = state.phrase
    if phrase is None:
        return Distrust.NO_PHRASE
    earliest, latest = phrase.asked_at - CLOCK_TOLERANCE, phrase.expires_at + CLOCK_TOLERANCE
    if not earliest.timestamp() <= claims.iat <= latest.timestamp():
        return Distrust.NO_PHRASE
    if claims.login_issuer is None or not claims.login_issuer.keys:
        return Distrust.NO_ISSUER
    if served is None:
        return KeysNeeded(pairing_url)
    return Trusted(claims) if key in served else Distrust.UNKNOWN_KEY


def _judge_login(claims: Claims, key: str, state: State, served: AbstractSet[str] | None) -> Judgement:
    account = state.account(claims.iss, claims.account_id)
    if account is None:
        return Distrust.NOT_PAIRED
    if key in account.keys:
        return Trusted(claims)
    if served is None:
        return KeysNeeded(claims.iss)
    return Trusted(claims, newly_pinned=key) if key in served else Distrust.UNKNOWN_KEY
