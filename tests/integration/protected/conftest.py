"""A Kafka with TLS, users and access rules, and how its users and others reach it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from aiokafka.admin import NewTopic

from deploy.local.kafka.embedded import EmbeddedKafka
from deploy.local.kafka.protection import BROKER_USER, Protection
from deploy.local.kafka.settings import HOST
from deploy.local.ports import free_port
from operations.certificates import AUTHORITY, certificate_path, key_path, make_authority, make_certificate
from operations.deployment import TOPOLOGIES
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.security import SASL_SSL, SSL, KafkaSecurity

SEEN: Final = "seen"
"""A topic that the superuser alone sees."""
SUPERUSER: Final = "super"
OPERATOR: Final = "operator"
AUDIT: Final = "audit"
SERVICES: Final = tuple(each.service for each in TOPOLOGIES)


@dataclass(frozen=True, slots=True)
class ProtectedKafka:
    """A running Kafka that asks for a password at one port, and for a certificate at another.

    Attributes:
        bootstrap: The address where it asks for a password.
        certificate_bootstrap: The address where it asks for a certificate.
        directory: The directory of the certificates, and of the users' passwords.

    """

    bootstrap: str
    certificate_bootstrap: str
    directory: Path

    def security(self, user: str) -> KafkaSecurity:
        """Return the settings of a user with a password."""
        return KafkaSecurity(
            security_protocol=SASL_SSL,
            ssl_ca_file=certificate_path(self.directory, AUTHORITY),
            sasl_username=user,
            sasl_password_file=self.directory / f"{user}.password",
        )

    def certified(self, name: str) -> KafkaSecurity:
        """Return the settings of a client with a certificate."""
        return KafkaSecurity(
            security_protocol=SSL,
            ssl_ca_file=certificate_path(self.directory, AUTHORITY),
            ssl_certificate_file=certificate_path(self.directory, name),
            ssl_key_file=key_path(self.directory, name),
        )

    def connection(self, user: str) -> KafkaConnection:
        """Return how a user with a password reaches it."""
        return KafkaConnection(self.bootstrap, self.security(user))


def environment(security: KafkaSecurity) -> dict[str, str]:
    """Return the settings as environment variables."""
    return {f"KAFKA_{name.upper()}": str(value) for name, value in security.model_dump().items() if value}


@pytest.fixture(scope="session")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProtectedKafka]:
    """Give a protected Kafka."""
    directory = tmp_path_factory.mktemp("protected")
    make_authority(directory)
    make_certificate(directory, BROKER_USER, [HOST, "localhost"])
    make_certificate(directory, SUPERUSER)
    passwords = {}
    for user in (BROKER_USER, SUPERUSER, OPERATOR, AUDIT, *SERVICES):
        passwords[user] = f"{user}'s 'password'"
        (directory / f"{user}.password").write_text(passwords[user] + "\n")
    port = free_port()
    protection = Protection(directory, passwords, (f"User:{SUPERUSER}", f"User:CN={SUPERUSER}"), certificate_port=port)
    kafka = EmbeddedKafka(directory / "kafka", protection=protection)
    kafka.start()
    running = ProtectedKafka(kafka.bootstrap, f"{HOST}:{port}", directory)
    asyncio.run(_make_topic(running.connection(SUPERUSER)))
    yield running
    kafka.kill()


async def _make_topic(connection: KafkaConnection) -> None:
    admin = connection.admin()
    await connection.start(admin)
    try:
        await admin.create_topics([NewTopic(SEEN, 1, 1)])
    finally:
        await admin.close()
