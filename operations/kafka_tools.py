"""Builds the Java command line that runs a class of Kafka, and the properties with which Kafka's tools connect.

Source of the properties: Apache Kafka 4.3, "Security" (PEM keys and certificates: KIP-651).
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from services.common.kafka.security import PLAINTEXT, SASL_SSL, KafkaSecurity, PasswordFile

JARS: Final = Path(__file__).parents[1] / ".run" / "kafka-jars"
"""The directory into which deploy/bootstrap downloads Kafka's jars."""
ARCHIVE: Final = JARS / "classes.jsa"
"""The archive of preparsed classes (class data sharing), which cuts a start from 2.5 s to 1.6 s."""
SHORT_LIVED: Final = ("-XX:TieredStopAtLevel=1",)
"""For a broker that lives for minutes: disables the optimising compiler, which pays off after about 20,000 records. It
cuts the CPU time of a start from 3.6 s to 1.8 s."""
_LOGGING: Final = Path(__file__).with_name("log4j2.xml")


class KafkaMissingError(Exception):
    """Kafka's jars are missing."""

    def __init__(self, jars: Path) -> None:
        super().__init__(f"Kafka's jars are not in {jars}; `make setup` downloads them to {JARS}.")


def tool_jars() -> Path:
    """Return the directory of the jars for Kafka's tools: those of KAFKA_HOME if it is set, else the project's."""
    home = os.environ.get("KAFKA_HOME")
    return Path(home, "libs") if home else JARS


def client_properties(security: KafkaSecurity) -> dict[str, str]:
    """Return the properties with which a client of Kafka's own connects, private key and password included.

    Raises:
        ConnectionSettingsError: If the password cannot be read.
        OSError: If another file cannot be read.
        ValueError: If the private key is damaged.

    """
    if security.security_protocol == PLAINTEXT:
        return {}
    properties: dict[str, str] = {"security.protocol": security.security_protocol}
    if security.ssl_ca_file is not None:
        properties |= {
            "ssl.truststore.type": "PEM",
            "ssl.truststore.certificates": security.ssl_ca_file.read_text(),
        }
    if security.ssl_certificate_file is not None and security.ssl_key_file is not None:
        key = load_pem_private_key(security.ssl_key_file.read_bytes(), None)
        properties |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.certificate.chain": security.ssl_certificate_file.read_text(),
            # Kafka reads this form alone.
            "ssl.keystore.key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        }
    if security.security_protocol == SASL_SSL and security.sasl_password_file is not None:
        password = PasswordFile(security.sasl_password_file).read().decode()
        properties |= {
            "sasl.mechanism": security.sasl_mechanism,
            "sasl.jaas.config": scram_login(security.sasl_username, password),
        }
    return properties


def scram_login(username: str, password: str) -> str:
    """Return the value of ``sasl.jaas.config`` for a user and a password."""
    user, secret = (value.replace("\\", "\\\\").replace('"', '\\"') for value in (username, password))
    return f'org.apache.kafka.common.security.scram.ScramLoginModule required username="{user}" password="{secret}";'


def properties_text(properties: Mapping[str, str]) -> str:
    """Return properties as Java's files have them."""
    return "".join(
        f"{name}={value.replace(chr(92), chr(92) * 2).replace(chr(10), chr(92) + 'n')}\n"
        for name, value in properties.items()
    )


def java_command(
    main_class: str, arguments: Sequence[str], log_path: Path, options: Sequence[str] = (), jars: Path = JARS
) -> list[str]:
    """Return the command that runs a class of Kafka.

    Args:
        main_class: The class, for example ``kafka.Kafka``.
        arguments: Its arguments.
        log_path: Its log file.
        options: Further options of the JVM.
        jars: The directory of Kafka's jars.

    Raises:
        KafkaMissingError: If the jars are missing.

    """
    found = sorted(jars.glob("*.jar"))
    if not found:
        raise KafkaMissingError(jars)
    home = os.environ.get("JAVA_HOME")
    return [
        str(Path(home, "bin", "java")) if home else "java",
        "-Xmx512m",
        # Java ignores an archive that does not match the jars and the Java version.
        *([f"-XX:SharedArchiveFile={ARCHIVE}"] if jars == JARS and ARCHIVE.exists() else []),
        f"-Dlog4j2.configurationFile={_LOGGING}",
        "-Dlog4j2.disableJmx=true",
        f"-Dcountersign.kafka.log={log_path}",
        *options,
        "-cp",
        os.pathsep.join(map(str, found)),
        main_class,
        *arguments,
    ]
