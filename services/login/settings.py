"""The login service's settings. Environment variables begin with LOGIN_."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from services.common.settings import Port, ServiceSettings
from services.login.addresses import read_address
from services.login.domain.limits import Enrolment
from services.login.places import require_database

DEFAULT_PORT = 8100
DEFAULT_PRODUCT_NAME = "Account Manager"
Name = Annotated[str, Field(min_length=1, max_length=60)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seconds = Annotated[int, Field(ge=1, le=30 * 24 * 60 * 60)]


class LoginSettings(ServiceSettings):
    """What the login service can be told."""

    model_config = SettingsConfigDict(env_prefix="LOGIN_")

    port: Port = DEFAULT_PORT
    """Port to listen on."""
    product_name: Name = DEFAULT_PRODUCT_NAME
    """What people sign in to, as they read it."""
    authenticator_name: Name = "Salesforce Authenticator"
    """The authenticator's name, as people read it."""
    authenticator_url: str = "http://localhost:8300"
    """Where people find the authenticator."""
    issuer: str = f"http://localhost:{DEFAULT_PORT}"
    """URL that stands in its challenges and that devices pin, the same for all instances."""
    prompt_seconds: Annotated[int, Field(ge=10, le=3600)] = 120
    """How long a request on the phone can be answered."""
    login_seconds: Seconds = 1800
    """How long a login may take from the password on."""
    session_seconds: Seconds = 12 * 60 * 60
    """How long a session lasts."""
    session_idle_seconds: Seconds = 60 * 60
    """How long it lasts when nothing is done in it."""
    confirmation_seconds: Seconds = 600
    """How long after the second factor changes of an account are taken without asking for it again."""
    remember_days: Annotated[int, Field(ge=0, le=365)] = 0
    """How many days a browser can be remembered, to sign in by the password alone; 0 remembers none."""
    enrolment: Enrolment = Enrolment.NOTHING
    """What the first pairing needs beside the password: nothing, email or invitation."""
    number_matching: bool = True
    """Whether an approval on the phone must hold the number that the browser shows."""
    most_prompts: Annotated[int, Field(ge=1, le=20)] = 3
    """How many requests are sent to an account's phones within the window."""
    prompt_window_seconds: Seconds = 600
    """That window."""
    refusals: Count = 2
    """Requests in a row that were denied or not answered before the first pause."""
    refusal_pause_seconds: Seconds = 60
    """How long that pause is; each further refusal doubles it."""
    longest_refusal_pause_seconds: Seconds = 60 * 60
    """No such pause is longer."""
    password_tries: Count = 5
    """Wrong passwords in a row before the first pause."""
    first_pause_seconds: Seconds = 30
    """How long the first pause is; each further wrong password doubles it."""
    longest_pause_seconds: Seconds = 15 * 60
    """No pause is longer."""
    address_tries: Count = 20
    """Wrong passwords in a row from one address, at whatever account, before the first pause, which grows likewise."""
    code_tries: Count = 5
    """Wrong codes in a row before the first pause."""
    code_pause_seconds: Seconds = 30
    """How long that pause is; each further wrong code doubles it."""
    longest_code_pause_seconds: Seconds = 60 * 60
    """No such pause is longer."""
    pairing_tries: Count = 5
    """Phrases in a row before a pause."""
    pairing_pause_seconds: Seconds = 300
    """How long that pause is."""
    most_waiting: Count = 10_000
    """Open event streams that one instance takes; more are told to try later."""
    most_hashing: Count = 50
    """Passwords that may wait to be checked in one instance; more are told to try later."""
    geoip_database: Annotated[Path, AfterValidator(require_database)] | None = None
    """A City or Country database in MaxMind's format, to tell where sign-ins come from; default none."""
    smtp_host: str = ""
    """Mail server for notices to people; empty sends none."""
    smtp_port: Port = 587
    """The mail server's port."""
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    """How the way to the mail server is protected; its certificate is checked against the system's (SSL_CERT_FILE)."""
    smtp_username: Annotated[str, Field(validate_default=True)] = ""
    """Name to sign in with at the mail server; empty does not sign in."""
    smtp_password: SecretStr = SecretStr("")
    """Password for that; better given by the environment, since everybody on a machine sees command lines."""
    mail_from: Annotated[str, Field(validate_default=True)] = ""
    """Address that notices come from; needed with a mail server."""

    @field_validator("smtp_username")
    @classmethod
    def _protect_password(cls, name: str, info: ValidationInfo) -> str:
        if name and info.data.get("smtp_security") == "none":
            text = "it would send its password unprotected: set LOGIN_SMTP_SECURITY to starttls or tls"
            raise ValueError(text)
        return name

    @field_validator("mail_from")
    @classmethod
    def _require_sender(cls, address: str, info: ValidationInfo) -> str:
        if address:
            read_address(address)
        elif info.data.get("smtp_host"):
            text = "with LOGIN_SMTP_HOST set, it has to name an address"
            raise ValueError(text)
        return address
