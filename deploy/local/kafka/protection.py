"""TLS, users and access rules of a Kafka on this machine: clients log in with passwords or with certificates.

Source of the settings: Apache Kafka 4.3, "Security".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from operations.certificates import AUTHORITY, certificate_path, key_path
from operations.kafka_tools import client_properties, scram_login
from services.common.kafka.security import SASL_SSL, SCRAM_SHA_512, SSL, KafkaSecurity

BROKER_USER: Final = "kafka"
"""The brokers' own user and the name of their certificate."""
CERTIFICATE_LISTENER: Final = "CERTIFICATE"


@dataclass(frozen=True, slots=True)
class Protection:
    """How a Kafka on this machine is protected.

    Attributes:
        certificates: The directory of the certificate authority and of the brokers' certificate (BROKER_USER), which
            must be good for the brokers' addresses.
        passwords: The passwords by user, the brokers' own user included.
        superusers: The principals that may do anything, without the brokers'.
        certificate_port: The port at which clients log in with certificates; None for no such port.

    """

    certificates: Path
    passwords: Mapping[str, str]
    superusers: tuple[str, ...] = ()
    certificate_port: int | None = None

    def settings(self, host: str, broker: str, controller: str) -> dict[str, str]:
        """Return what it adds to a node's server.properties.

        Args:
            host: The node's address.
            broker: Its address for clients, ``host:port``.
            controller: Its address for the other controllers, ``host:port``.

        """
        certificate = KafkaSecurity(
            security_protocol=SSL,
            ssl_ca_file=certificate_path(self.certificates, AUTHORITY),
            ssl_certificate_file=certificate_path(self.certificates, BROKER_USER),
            ssl_key_file=key_path(self.certificates, BROKER_USER),
        )
        protocols = {"BROKER": SASL_SSL, "CONTROLLER": SSL}
        listeners = {"BROKER": broker, "CONTROLLER": controller}
        if self.certificate_port is not None:
            protocols[CERTIFICATE_LISTENER] = SSL
            listeners[CERTIFICATE_LISTENER] = f"{host}:{self.certificate_port}"
        addresses = ",".join(f"{name}://{address}" for name, address in listeners.items())
        tls = {name: value for name, value in client_properties(certificate).items() if name.startswith("ssl.")}
        superusers = (f"User:{BROKER_USER}", f"User:CN={BROKER_USER}", *self.superusers)
        return {
            **tls,
            "listeners": addresses,
            "advertised.listeners": addresses,
            "listener.security.protocol.map": ",".join(f"{name}:{each}" for name, each in protocols.items()),
            **{
                f"listener.name.{name.lower()}.ssl.client.auth": "required"
                for name, each in protocols.items()
                if each == SSL
            },
            "sasl.enabled.mechanisms": SCRAM_SHA_512,
            "sasl.mechanism.inter.broker.protocol": SCRAM_SHA_512,
            f"listener.name.broker.{SCRAM_SHA_512.lower()}.sasl.jaas.config": scram_login(
                BROKER_USER, self.passwords[BROKER_USER]
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": ";".join(superusers),
        }

    def users(self) -> list[str]:
        """Return the options of Kafka's storage tool that create the users."""
        return [
            f"--add-scram={SCRAM_SHA_512}=[name={name},password={password}]"
            for name, password in self.passwords.items()
        ]
