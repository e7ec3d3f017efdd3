"""The login service's settings. Environment variables begin with LOGIN_."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from services.common.settings import Origin, Port, ServiceSettings
from services.common.throttle import Count
from services.login.addresses import read_address
from services.login.breached_passwords import require_filter
from services.login.domain.limits import Limits
from services.login.forbidden_words import require_words
from services.login.places import require_database

DEFAULT_PORT = 8100
DEFAULT_PRODUCT_NAME = "Account Manager"
Name = Annotated[str, Field(min_length=1, max_length=60)]


class LoginSettings(ServiceSettings, Limits):
    """Settings of one instance."""

    model_config = SettingsConfigDict(env_prefix="LOGIN_")

    port: Port = DEFAULT_PORT
    """Port to listen on."""
    product_name: Name = DEFAULT_PRODUCT_NAME
    """The product's name, as people read it."""
    authenticator_name: Name = "Salesforce Authenticator"
    """The authenticator's name, as people read it."""
    authenticator_url: Origin = "http://localhost:8300"
    """The authenticator's address, for people."""
    issuer: Origin = f"http://localhost:{DEFAULT_PORT}"
    """URL of the issuer in challenges, which devices pin; the same for all instances."""
    most_waiting: Count = 10_000
    """Most event streams open at one instance; further pages get 503."""
    most_hashing: Count = 50
    """Most passwords that wait to be checked at one instance; further sign-ins get 503."""
    forbidden_words: Annotated[Path, AfterValidator(require_words)] | None = None
    """A file of words, one a line, that no new password may contain, such as the organisation's name; default none."""
    breached_passwords: Annotated[Path, AfterValidator(require_filter)] | None = None
    """A filter of known breached passwords, made by `countersign passwords build`; default none."""
    geoip_database: Annotated[Path, AfterValidator(require_database)] | None = None
    """A City or Country database in MaxMind's format, to show where sign-ins come from; default none."""
    smtp_host: str = ""
    """Mail server for e-mails to people; empty sends none."""
    smtp_port: Port = 587
    """The mail server's port."""
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    """Encryption of the connection to the mail server; the system must trust its certificate (SSL_CERT_FILE)."""
    smtp_username: Annotated[str, Field(validate_default=True)] = ""
    """User name at the mail server; empty for no authentication."""
    smtp_password: SecretStr = SecretStr("")
    """Password at the mail server. Set it in the environment: every user of a machine can read command lines."""
    mail_from: Annotated[str, Field(validate_default=True)] = ""
    """Sender's address of e-mails; required with a mail server."""

    @property
    def limits(self) -> Limits:
        """The limits, without the other settings."""
        return Limits.model_validate({name: getattr(self, name) for name in Limits.model_fields})

    @field_validator("smtp_username")
    @classmethod
    def _protect_password(cls, name: str, info: ValidationInfo) -> str:
        if name and info.data.get("smtp_security") == "none":
            text = "the password would be sent unencrypted: set LOGIN_SMTP_SECURITY to starttls or tls"
            raise ValueError(text)
        return name

    @field_validator("mail_from")
    @classmethod
    def _require_sender(cls, address: str, info: ValidationInfo) -> str:
        if address:
            read_address(address)
        elif info.data.get("smtp_host"):
            text = "it is required with LOGIN_SMTP_HOST"
            raise ValueError(text)
        return address
