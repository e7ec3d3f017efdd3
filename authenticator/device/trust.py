"""Which challenges a device shows: docs/protocol.md section 6. No input or output."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from authenticator.device.state import State
from protocol.challenges import Claims, verify_challenge
from protocol.jose import SignatureError
from protocol.signed_requests import TOLERANCE_SECONDS
from schemas.contract import Purpose

CLOCK_TOLERANCE: Final = timedelta(seconds=TOLERANCE_SECONDS)
"""By how much this device's idea of the time and a service's may differ; beyond it, services refuse its requests."""


class Distrust(StrEnum):
    """Why a challenge is not shown, or a word of parting not believed."""

    BAD_SIGNATURE = "its signature does not hold"
    OTHER_DEVICE = "it is for another device"
    EXPIRED = "it has expired"
    NO_PHRASE = "this device did not ask for a pairing phrase"
    NO_ISSUER = "it does not say who will sign the account's requests"
    NOT_PAIRED = "this device is not paired with that account of that issuer"
    OTHER_PAIRING = "it is about another pairing with that account"
    UNKNOWN_KEY = "its key is not one of its issuer's"


@dataclass(frozen=True, slots=True)
class Trusted:
    """A challenge that may be shown.

    Attributes:
        claims: What it says.
        newly_pinned: A key of its issuer that is to be pinned now, or None.

    """

    claims: Claims
    newly_pinned: str | None = None


@dataclass(frozen=True, slots=True)
class KeysNeeded:
    """Whether the challenge may be shown depends on the keys that an issuer serves now.

    Attributes:
        issuer: Whose key set to fetch.

    """

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
        challenge: The compact JWS as it came.
        state: What the device remembers.
        device_id: The device's own id.
        now: The service's time; where that is in doubt, the earliest that it may be.
        pairing_url: The pairing service, as the push service names it.
        served: Thumbprints of the key set that ``KeysNeeded`` asked for, fetched just now; None before.

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
