"""The login service's rules as its settings and keys describe them, for whoever decides by them."""

from datetime import timedelta
from typing import Final

from protocol.agreement import AgreementPrivateKey
from services.common.keys.keys import SigningKeys, load_secret
from services.login.domain.limits import PauseLimits, Rules
from services.login.settings import LoginSettings

LIMITS: Final = (
    "enrolment",
    "prompt_seconds",
    "most_prompts",
    "prompt_window_seconds",
    "refusals",
    "refusal_pause_seconds",
    "longest_refusal_pause_seconds",
    "login_seconds",
    "session_seconds",
    "session_idle_seconds",
    "confirmation_seconds",
    "remember_days",
    "password_tries",
    "first_pause_seconds",
    "longest_pause_seconds",
    "code_tries",
    "code_pause_seconds",
    "longest_code_pause_seconds",
    "pairing_tries",
    "pairing_pause_seconds",
)
"""The settings by which an account's owner decides whether and for how long something may be done."""


def make_rules(settings: LoginSettings, signing_keys: SigningKeys, agreement: AgreementPrivateKey) -> Rules:
    """Return the rules that the settings describe."""
    return Rules(
        issuer=settings.issuer,
        service_name=settings.product_name,
        key=signing_keys.active,
        accepted_keys=signing_keys.thumbprints,
        agreement_key=agreement.public,
        seal_key=load_secret(settings.secrets_directory, "phrase"),
        number_key=load_secret(settings.secrets_directory, "numbers"),
        number_matching=settings.number_matching,
        enrolment=settings.enrolment,
        prompt_lifetime=timedelta(seconds=settings.prompt_seconds),
        most_prompts=settings.most_prompts,
        prompt_window=timedelta(seconds=settings.prompt_window_seconds),
        refusals=_pauses(settings.refusals, settings.refusal_pause_seconds, settings.longest_refusal_pause_seconds),
        login_lifetime=timedelta(seconds=settings.login_seconds),
        session_lifetime=timedelta(seconds=settings.session_seconds),
        idle_lifetime=timedelta(seconds=settings.session_idle_seconds),
        confirmation_lifetime=timedelta(seconds=settings.confirmation_seconds),
        remember_lifetime=timedelta(days=settings.remember_days),
        passwords=_pauses(settings.password_tries, settings.first_pause_seconds, settings.longest_pause_seconds),
        addresses=_pauses(settings.address_tries, settings.first_pause_seconds, settings.longest_pause_seconds),
        codes=_pauses(settings.code_tries, settings.code_pause_seconds, settings.longest_code_pause_seconds),
        pairing_tries=settings.pairing_tries,
        pairing_pause=timedelta(seconds=settings.pairing_pause_seconds),
    )


def _pauses(tries: int, first_seconds: int, longest_seconds: int) -> PauseLimits:
    return PauseLimits(tries, timedelta(seconds=first_seconds), timedelta(seconds=longest_seconds))
