"""Small builders of what the tests speak of: each makes something valid and takes what a test cares about by keyword.

Keys are the same in every run, so that a failure can be repeated and a recording stays as it is.
"""

import hashlib
import itertools
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, TypeVar, cast

from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import TypeAdapter

from protocol.agreement import AgreementPrivateKey
from protocol.challenges import sign_answer, verify_challenge
from protocol.encoding import digest, encode_base64url
from protocol.jose import PrivateKey
from schemas.base import Browser, Message
from schemas.codec import Event
from schemas.contract import Purpose, Verdict
from services.common.throttle import Throttle, WindowLimits
from services.login.domain.account import Account, RememberedBrowser, Session
from services.login.domain.limits import Limits
from services.login.domain.login import Login, LoginState
from services.login.domain.methods import AuthenticatorApp, Device, RecoveryCode, RecoveryCodes
from services.login.domain.policy import KeySigner, Policy
from services.pairing.domain.limits import PairingLimits
from services.pairing.domain.policy import PairingPolicy, PairingSigner

MessageT = TypeVar("MessageT", bound=Message)
RowPartT = TypeVar("RowPartT")
ValueT = TypeVar("ValueT")
T0: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""When every test begins."""
LOGIN_URL: Final = "http://login.test"
PAIRING_URL: Final = "http://pairing.test"
PUSH_URL: Final = "http://push.test"
SEAL_KEY: Final = b"the pairing and login services' "
NUMBER_KEY: Final = b"the key of the numbers"
_event_numbers: Final = itertools.count(1)


def after(seconds: float = 0, *, minutes: float = 0) -> datetime:
    """Return a moment so long after the beginning."""
    return T0 + timedelta(seconds=seconds, minutes=minutes)


def present(value: ValueT | None) -> ValueT:
    """Return a value that must not be None."""
    assert value is not None
    return value


def full_width(text: str) -> str:
    """Return visible ASCII text in the wide forms that East Asian keyboards give."""
    return "".join(chr(ord(each) + 0xFEE0) for each in text)


def a_digest(text: str) -> str:
    """Return some digest, the same for the same text."""
    return digest(text.encode())


@cache
def a_key(name: str) -> PrivateKey:
    """Return the key pair of this name."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()) >> 1
    point = ec.derive_private_key(number, ec.SECP256R1()).public_key().public_numbers()
    members = {"d": number, "x": point.x, "y": point.y}
    jwk = {member: encode_base64url(value.to_bytes(32, "big")) for member, value in members.items()}
    return PrivateKey.from_jwk({"kty": "EC", "crv": "P-256", **jwk})


def an_agreement_key(name: str) -> AgreementPrivateKey:
    """Return the key pair for key agreement of this name."""
    return AgreementPrivateKey.from_jwk(a_key(f"agreement of {name}").to_jwk())


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone in somebody's hand."""

    name: str
    key: PrivateKey

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - as IPython and Hypothesis call it
        printer.text(self.name)

    @property
    def device_id(self) -> str:
        """Its id: the thumbprint of its key."""
        return self.key.public.thumbprint

    @property
    def agreement(self) -> AgreementPrivateKey:
        """Its key pair for the secrets of verification codes."""
        return an_agreement_key(self.name)

    def answer(
        self,
        challenge: str,
        verdict: Verdict = Verdict.APPROVE,
        *,
        at: datetime = T0,
        number: int | None = None,
        nonce: str = "nonce",
    ) -> str:
        """Sign an answer: an accepted pairing holds the phone's agreement key, an approval its number."""
        claims, _ = verify_challenge(challenge)
        if number is None and claims.number_matching and verdict is Verdict.APPROVE:
            number = number_of(claims.jti)
        accepts = (claims.purpose, verdict) == (Purpose.PAIRING, Verdict.APPROVE)
        return sign_answer(
            self.key,
            challenge=challenge,
            verdict=verdict,
            url=f"{PUSH_URL}/challenges/any/answer",
            nonce=nonce,
            at=at,
            number=number,
            agreement_key=self.agreement.public if accepts else None,
        )


def a_phone(name: str = "Pixel 9") -> Phone:
    """Return the phone of this name."""
    return Phone(name, a_key(name))


def a_browser(**changes: Any) -> Browser:
    """Return the browser that signs in."""
    return Browser.model_validate({"name": "Firefox on Linux", "address": "192.0.2.7", **changes})


def a_device(phone: Phone | None = None, **changes: Any) -> Device:
    """Return a phone as the account that it is paired with knows it."""
    phone = phone or a_phone()
    fields: dict[str, Any] = {
        "device_id": phone.device_id,
        "name": phone.name,
        "pairing_id": "pairing-0",
        "paired_at": T0,
    }
    agreed: dict[str, Any] = {
        "agreement_key": phone.agreement.public,
        "agreement_key_id": an_agreement_key("login service").key_id,
    }
    return _checked(Device, {**fields, **agreed, **changes})


def an_app(method_id: str = "app-0", **changes: Any) -> AuthenticatorApp:
    """Return an authenticator app as its account knows it."""
    fields: dict[str, Any] = {"method_id": method_id, "name": "Desk app", "sealed_secret": "sealed", "added_at": T0}
    return _checked(AuthenticatorApp, {**fields, **changes})


def recovery_codes(*codes: str) -> RecoveryCodes:
    """Return a set of recovery codes, none of them used."""
    return RecoveryCodes(
        salt="c2FsdA",
        pepper_id="pepper-1",
        made_at=T0,
        codes=tuple(RecoveryCode(digest=a_digest(each)) for each in codes),
    )


def a_remembered_browser(name: str = "r", **changes: Any) -> RememberedBrowser:
    """Return a browser that signs in by the password alone for a week."""
    fields: dict[str, Any] = {
        "digest": a_digest(name),
        "browser": a_browser(),
        "since": T0,
        "expires_at": after(minutes=7 * 24 * 60),
    }
    return _checked(RememberedBrowser, {**fields, **changes})


def a_login(login_id: str = "login-1", **changes: Any) -> Login:
    """Return a login whose password was right a moment ago."""
    fields: dict[str, Any] = {
        "login_id": login_id,
        "login_digest": a_digest(f"token of {login_id}"),
        "session_digest": a_digest(f"session of {login_id}"),
        "browser": a_browser(),
        "state": LoginState.READY,
        "started_at": T0,
        "expires_at": after(minutes=30),
    }
    return _checked(Login, {**fields, **changes})


def a_session(name: str = "s", **changes: Any) -> Session:
    """Return a browser that signed in just now by its phone."""
    fields: dict[str, Any] = {
        "session_digest": a_digest(name),
        "browser": a_browser(),
        "started_at": T0,
        "expires_at": after(minutes=12 * 60),
        "idle_until": after(minutes=12 * 60),
        "confirmed_at": T0,
    }
    return _checked(Session, {**fields, **changes})


def an_account(*, paired: bool = True, **changes: Any) -> Account:
    """Return an account, with one phone or with none."""
    fields: dict[str, Any] = {
        "account_id": "alex",
        "name": "alex",
        "name_digest": a_digest("alex"),
        "display_name": "Alex",
        "password_hash": "$argon2id$1",
        "created_at": after(minutes=-60),
        "devices": (a_device(),) if paired else (),
    }
    return _checked(Account, {**fields, **changes})


def at_most(most: int, window_seconds: int = 600) -> WindowLimits:
    """Return a limit of so many within a window."""
    return WindowLimits(most=most, window_seconds=window_seconds)


def policy(**changes: Any) -> Policy:
    """Return what the login service decides with; changes are of its limits or of its signer."""
    key = a_key("login service")
    fields: dict[str, Any] = {
        "issuer": LOGIN_URL,
        "service_name": "Account Manager",
        "key": key,
        "accepted_keys": (key.public.thumbprint,),
        "agreement_key": an_agreement_key("login service").public,
        "seal_key": SEAL_KEY,
        "number_key": NUMBER_KEY,
    }
    limits = {name: changes.pop(name) for name in tuple(changes) if name in Limits.model_fields}
    return Policy(Limits(**limits), KeySigner(**{**fields, **changes}))


LIMITS: Final = Limits()
"""The login service's limits by default."""
PAIRING_LIMITS: Final = PairingLimits()
"""The pairing service's, likewise."""


def _checked(kind: type[RowPartT], fields: dict[str, Any]) -> RowPartT:
    """Return a row or a part of one, checked as when it is read from Kafka; a field that it has not is an error."""
    unknown = fields.keys() - {each.name for each in dataclass_fields(cast(Any, kind))}
    assert not unknown, unknown
    made: RowPartT = _adapter(cast(Any, kind)).validate_python(fields)
    return made


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what checks a kind; making one takes milliseconds."""
    return TypeAdapter(kind)


def denied(times: int, last_at: datetime) -> Throttle:
    """Return what is counted after so many denials in a row."""
    return Throttle(
        failures=times, counted_from=last_at, in_a_row=times, paused_until=LIMITS.denials.pause_end(times, last_at)
    )


def number_of(challenge_id: str) -> int:
    """Return the number that the login service of the tests shows for a challenge."""
    return policy().signer.number_of(challenge_id)


def pairing_policy(**changes: Any) -> PairingPolicy:
    """Return what the pairing service decides with; changes are of its limits or of its signer."""
    key = a_key("pairing service")
    fields: dict[str, Any] = {
        "issuer": PAIRING_URL,
        "key": key,
        "accepted_keys": frozenset({key.public.thumbprint}),
        "seal_key": SEAL_KEY,
    }
    limits = {name: changes.pop(name) for name in tuple(changes) if name in PairingLimits.model_fields}
    return PairingPolicy(PairingLimits(**limits), PairingSigner(**{**fields, **changes}))


def an_event(
    message: MessageT, *, at: datetime | None = None, event_id: str | None = None, traceparent: str = ""
) -> Event[MessageT]:
    """Return a message in its envelope, of the time at which it was given."""
    own = next((getattr(message, name) for name in ("at", "answered_at", "paired_at") if hasattr(message, name)), T0)
    time: datetime = at if at is not None else own
    return Event(event_id or f"event-{next(_event_numbers)}", time, "test", traceparent, message)
