"""How every client reaches Kafka: its addresses, TLS and credentials. All clients of the project are built here."""

import asyncio
import ssl
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

import aiokafka.admin.client
import aiokafka.client
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from services.common.kafka.security import (
    PLAINTEXT,
    PREFIX,
    SASL_SSL,
    ConnectionSettingsError,
    KafkaSecurity,
    PasswordFile,
    RenewedContext,
    read_security,
)

_PROBE_MILLISECONDS: Final = 2000
_HIGHEST_PORT: Final = 65535
_SASL_REFUSALS: Final = (
    AuthenticationFailedError,
    IllegalSaslStateError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
_NOT_PERMITTED: Final = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
_ENDS: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""TLS errors of a broker that goes away; they say nothing about certificates."""

# `countersign topics apply` alone creates topics. aiokafka asks Kafka to create what it does not find, and has no
# setting for that.
for _module in (aiokafka.client, aiokafka.admin.client):
    _module.MetadataRequest = partial(MetadataRequest, allow_auto_topic_creation=False)


class KafkaRefusesError(Exception):
    """Kafka refuses the credentials, or cannot be trusted. The text says why, and which settings to look at."""


@dataclass(frozen=True)
class KafkaConnection:
    """How to reach one Kafka.

    Attributes:
        bootstrap: Its ``host:port`` list.
        security: TLS and credentials; default none.

    """

    bootstrap: str
    security: KafkaSecurity = field(default_factory=KafkaSecurity)

    def consumer(self, *topics: str, **options: Any) -> AIOKafkaConsumer:
        """Build a consumer; topics and options are aiokafka's."""
        return AIOKafkaConsumer(*topics, **self._common, **options)

    def producer(self, **options: Any) -> AIOKafkaProducer:
        """Build a producer; options are aiokafka's."""
        return AIOKafkaProducer(**self._common, **options)

    def admin(self, **options: Any) -> AIOKafkaAdminClient:
        """Build an admin client; options are aiokafka's."""
        return AIOKafkaAdminClient(**self._common, **options)

    def client(self, **options: Any) -> AIOKafkaClient:
        """Build a client for single requests; options are aiokafka's."""
        return AIOKafkaClient(**self._common, **options)

    async def start(self, *clients: Any) -> None:
        """Start consumers, producers or admin clients.

        Raises:
            KafkaRefusesError: If Kafka refuses the credentials, or its certificate is not trusted.
            KafkaError: If it cannot be reached.

        """
        for client in clients:
            await self._explained(client.start())

    async def start_client(self, client: AIOKafkaClient) -> None:
        """Connect a client for single requests; errors as `start`."""
        await self._explained(client.bootstrap())

    async def _explained(self, connecting: Coroutine[Any, Any, None]) -> None:
        try:
            await connecting
        except KafkaError:
            refusal = await self.refusal()
            if refusal:
                raise KafkaRefusesError(refusal) from None
            raise

    async def refusal(self) -> str:
        """Return why no broker takes this client's connections, as text for the operator; empty if that is not known.

        aiokafka's clients do not tell a refusal from a broker that is away.
        """
        if self.security.security_protocol == PLAINTEXT:
            return ""
        addresses = [(host, port) for host, port, _family in collect_hosts(self.bootstrap)]
        found = await asyncio.gather(*(self._refusal_at(host, port) for host, port in addresses))
        return "" if None in found else next((text for text in found if text), "")

    async def _refusal_at(self, host: str, port: int) -> str | None:
        """Return why a broker takes no connection, empty if that is not known; None if it takes one."""
        options = {name: value for name, value in self._common.items() if name != "bootstrap_servers"}
        try:
            connection = await create_conn(host, port, request_timeout_ms=_PROBE_MILLISECONDS, **options)
        except (KafkaError, OSError, TimeoutError) as error:
            return _refusal(f"{host}:{port}", error)
        connection.close()
        return None

    @cached_property
    def _common(self) -> Mapping[str, Any]:
        """The options that all clients share."""
        security = self.security
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": security.security_protocol}
        if security.security_protocol != PLAINTEXT:
            options["ssl_context"] = RenewedContext(security)
        if security.security_protocol == SASL_SSL and security.sasl_password_file is not None:
            options |= {
                "sasl_mechanism": security.sasl_mechanism,
                "sasl_plain_username": security.sasl_username,
                "sasl_plain_password": PasswordFile(security.sasl_password_file),
            }
        return options

    @property
    def ssl_context(self) -> RenewedContext | None:
        """The TLS context of all clients; None without TLS."""
        context: RenewedContext | None = self._common.get("ssl_context")
        return context

    def check(self) -> None:
        """Read the addresses and all files.

        Raises:
            ConnectionSettingsError: If an address is malformed, or a file is missing or damaged.

        """
        try:
            addresses = collect_hosts(self.bootstrap)
        except ValueError:
            addresses = []
        if not addresses or not all(host and 0 < port <= _HIGHEST_PORT for host, port, _family in addresses):
            text = f"Kafka's address {self.bootstrap!r} is no HOST:PORT list (--kafka, or KAFKA_BOOTSTRAP of a service)"
            raise ConnectionSettingsError(text)
        password = self._common.get("sasl_plain_password")
        if password is not None:
            password.read()


def read_connection(bootstrap: str) -> KafkaConnection:
    """Return the connection to a Kafka at a ``host:port`` list, with what the environment says about its protection.

    Raises:
        ConnectionSettingsError: If the settings cannot work.

    """
    connection = KafkaConnection(bootstrap, read_security())
    connection.check()
    return connection


def unreachable_text(connection: KafkaConnection, error: Exception) -> str:
    """Return the message for an operator whose command Kafka did not serve."""
    if isinstance(error, _NOT_PERMITTED):
        return (
            f"Kafka does not permit this ({error!r}). `countersign topics acls` prints what each principal needs; "
            f"{PREFIX}SASL_USERNAME or {PREFIX}SSL_CERTIFICATE_FILE chooses the principal."
        )
    protocol = connection.security.security_protocol
    how = "" if protocol == PLAINTEXT else f" with {protocol}"
    return (
        f"Kafka cannot be reached at {connection.bootstrap}{how}. Is it running? (--kafka HOST:PORT names another one.)"
    )


def _refusal(place: str, error: Exception) -> str:
    """Return the text for an error that means a refusal; empty for any other."""
    cause = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"the certificate of Kafka at {place} is not trusted ({cause.verify_message}): look at {PREFIX}SSL_CA_FILE "
            "and at the host's name"
        )
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, _ENDS):
        return (
            f"Kafka at {place} does not agree on TLS ({cause.reason}): look at {PREFIX}SECURITY_PROTOCOL, "
            f"{PREFIX}SSL_CERTIFICATE_FILE and {PREFIX}SSL_KEY_FILE"
        )
    if isinstance(error, _SASL_REFUSALS):
        return (
            f"Kafka at {place} refuses the credentials ({type(error).__name__}): look at {PREFIX}SECURITY_PROTOCOL, "
            f"{PREFIX}SASL_USERNAME and {PREFIX}SASL_PASSWORD_FILE"
        )
    return ""
