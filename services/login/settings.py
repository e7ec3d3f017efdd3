"""The login service's settings. Environment variables begin with LOGIN_."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from services.common.settings import Port, ServiceSettings
from services.common.throttle import Count
from services.login.addresses import read_address
from services.login.domain.limits import Limits
from services.login.places import require_database

DEFAULT_PORT = 8100
DEFAULT_PRODUCT_NAME = "Account Manager"
Name = Annotated[str, Field(min_length=1, max_length=60)]


class LoginSettings(ServiceSettings, Limits):
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

    @property
    def limits(self) -> Limits:
        """The limits alone."""
        return Limits.model_validate({name: getattr(self, name) for name in Limits.model_fields})

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
