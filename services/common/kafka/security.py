"""TLS and credentials towards Kafka: the settings KAFKA_…, and the files that they name.

Files are read again whenever a connection is opened, so certificates, keys and passwords can be renewed in place.
"""

import ssl
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "KAFKA_"
Protocol = Literal["PLAINTEXT", "SSL", "SASL_SSL"]
PLAINTEXT: Final = "PLAINTEXT"
SSL: Final = "SSL"
SASL_SSL: Final = "SASL_SSL"
SCRAM_SHA_512: Final = "SCRAM-SHA-512"
SSL_CA: Final = "SSL_CA_FILE"
SSL_CERTIFICATE: Final = "SSL_CERTIFICATE_FILE"
SSL_KEY: Final = "SSL_KEY_FILE"
SSL_PAIR: Final = f"{SSL_CERTIFICATE} or {SSL_KEY}"
SASL_PASSWORD: Final = "SASL_PASSWORD_FILE"  # noqa: S105 - the name of a setting
EMPTY: Final = "it is empty"


class ConnectionSettingsError(Exception):
    """The settings of the connection to Kafka cannot work. The text names the setting and what to do."""


class KafkaSecurity(BaseModel):
    """TLS and credentials towards Kafka."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    security_protocol: Protocol = PLAINTEXT
    """PLAINTEXT; SSL, with a client certificate where the brokers ask for one; or SASL_SSL, TLS with a password."""
    ssl_ca_file: Path | None = None
    """PEM file of the certificate authorities that sign the brokers' certificates; default those of the system."""
    ssl_certificate_file: Path | None = None
    """PEM file of the client's certificate, with the intermediate ones."""
    ssl_key_file: Path | None = None
    """PEM file of the client certificate's private key, not encrypted."""
    sasl_mechanism: Literal["SCRAM-SHA-512"] = SCRAM_SHA_512
    """The kind of password check."""
    sasl_username: str = ""
    """The user name for SASL_SSL."""
    sasl_password_file: Path | None = None
    """File that holds the password for SASL_SSL."""

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        tls = (self.ssl_ca_file, self.ssl_certificate_file, self.ssl_key_file)
        if self.security_protocol == PLAINTEXT and (any(tls) or self.sasl_username or self.sasl_password_file):
            text = (
                f"{PREFIX}SECURITY_PROTOCOL is {PLAINTEXT}, but certificates or a user are set: set {SSL} or {SASL_SSL}"
            )
        elif bool(self.ssl_certificate_file) != bool(self.ssl_key_file):
            text = f"{PREFIX}SSL_CERTIFICATE_FILE and {PREFIX}SSL_KEY_FILE belong together: set both, or none"
        elif self.security_protocol == SASL_SSL and not (self.sasl_username and self.sasl_password_file):
            text = f"{PREFIX}SECURITY_PROTOCOL is {SASL_SSL}: set {PREFIX}SASL_USERNAME and {PREFIX}SASL_PASSWORD_FILE"
        elif self.security_protocol == SSL and (self.sasl_username or self.sasl_password_file):
            text = f"{PREFIX}SECURITY_PROTOCOL is {SSL}, but a user is set: set {SASL_SSL}"
        else:
            return self
        raise ValueError(text)

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """The files that only this process should be able to read."""
        return tuple(each for each in (self.ssl_key_file, self.sasl_password_file) if each is not None)


class _Environment(BaseSettings, KafkaSecurity):
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")


def read_security() -> KafkaSecurity:
    """Return what the environment says about the protection of Kafka.

    Raises:
        ConnectionSettingsError: If the settings do not fit together.

    """
    try:
        environment = _Environment()
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        text = f"setting {PREFIX}{name} is invalid: {first['msg']}" if name else str(first["ctx"]["error"])
        raise ConnectionSettingsError(text) from None
    return KafkaSecurity.model_validate(environment.model_dump())


class RenewedContext(ssl.SSLContext):
    """A client's TLS context, which reads its files again before a connection once they have changed."""

    def __new__(cls, security: KafkaSecurity) -> Self:  # noqa: D102 - the class says it
        del security
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, security: KafkaSecurity) -> None:
        self._security = security
        self._read: tuple[float, ...] = ()
        self._renew()

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Begin a connection; event loops call this for each."""
        try:
            self._renew()
        except ConnectionSettingsError as error:
            raise OSError(str(error)) from error  # as a connection that fails, which clients try again
        return super().wrap_bio(*arguments, **options)

    def _renew(self) -> None:
        security = self._security
        files = {
            SSL_CA: security.ssl_ca_file,
            SSL_CERTIFICATE: security.ssl_certificate_file,
            SSL_KEY: security.ssl_key_file,
        }
        read = tuple(_modified_at(name, path) for name, path in files.items() if path is not None)
        if read and read == self._read:
            return
        try:
            if security.ssl_ca_file is None:
                self.load_default_certs()
            else:
                self.load_verify_locations(security.ssl_ca_file)
        except (OSError, ValueError) as error:
            raise _unusable(SSL_CA, security.ssl_ca_file, error) from None
        if security.ssl_certificate_file is not None:
            try:
                # Without a password, OpenSSL would ask for that of an encrypted key.
                self.load_cert_chain(security.ssl_certificate_file, security.ssl_key_file, password="")
            except (OSError, ValueError) as error:
                raise _unusable(SSL_PAIR, security.ssl_certificate_file, error) from None
        self._read = read


class PasswordFile:
    """A password in a file. aiokafka encodes a password for each connection, and does nothing else with it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def encode(self, _encoding: str = "utf-8") -> bytes:
        """Return the password for a connection that is being opened."""
        try:
            return self.read()
        except ConnectionSettingsError as error:
            raise OSError(str(error)) from error  # as a connection that fails, which clients try again

    def read(self) -> bytes:
        """Return the password.

        Raises:
            ConnectionSettingsError: If the file cannot be read, or is empty.

        """
        try:
            password = self._path.read_bytes().strip()
        except OSError as error:
            raise _unusable(SASL_PASSWORD, self._path, error) from None
        if not password:
            raise _unusable(SASL_PASSWORD, self._path, ValueError(EMPTY))
        return password


def _modified_at(name: str, path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError as error:
        raise _unusable(name, path, error) from None


def _unusable(name: str, path: Path | None, error: Exception) -> ConnectionSettingsError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ConnectionSettingsError(f"setting {PREFIX}{name} is invalid: {path}: {reason}")
