"""Clients log in to Kafka with a password or a certificate, and say in one line why they are refused."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError

from deploy.local.ports import free_port
from operations.certificates import AUTHORITY, certificate_path, make_authority, make_certificate
from operations.kafka_users import set_passwords
from services.common.kafka.connection import KafkaConnection, KafkaRefusesError
from services.common.kafka.security import PLAINTEXT, SSL, KafkaSecurity
from tests.integration.protected.conftest import SEEN, SUPERUSER, ProtectedKafka, environment


async def topics(connection: KafkaConnection) -> list[str]:
    """Return the topics that a client is shown."""
    admin = connection.admin()
    try:
        await connection.start(admin)
        return list(await admin.list_topics())
    finally:
        await admin.close()


async def test_a_password_lets_in(protected: ProtectedKafka) -> None:
    assert SEEN in await topics(protected.connection(SUPERUSER))


async def test_a_certificate_lets_in(protected: ProtectedKafka) -> None:
    connection = KafkaConnection(protected.certificate_bootstrap, protected.certified(SUPERUSER))
    assert SEEN in await topics(connection)


async def test_a_wrong_password_is_named(protected: ProtectedKafka, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("wrong")
    security = protected.security(SUPERUSER).model_copy(update={"sasl_password_file": wrong})
    with pytest.raises(KafkaRefusesError, match=r"refuses the credentials .*: look at .* KAFKA_SASL_PASSWORD_FILE"):
        await topics(KafkaConnection(protected.bootstrap, security))


async def test_a_certificate_of_an_unknown_authority_is_named(protected: ProtectedKafka, tmp_path: Path) -> None:
    make_authority(tmp_path)
    other = {"ssl_ca_file": certificate_path(tmp_path, AUTHORITY)}
    security = protected.security(SUPERUSER).model_copy(update=other)
    with pytest.raises(KafkaRefusesError, match=r"is not trusted .* look at KAFKA_SSL_CA_FILE"):
        await topics(KafkaConnection(protected.bootstrap, security))


async def test_a_missing_client_certificate_is_named(protected: ProtectedKafka) -> None:
    security = KafkaSecurity(security_protocol=SSL, ssl_ca_file=certificate_path(protected.directory, AUTHORITY))
    with pytest.raises(KafkaRefusesError, match=r"does not agree on TLS .* KAFKA_SSL_CERTIFICATE_FILE"):
        await topics(KafkaConnection(protected.certificate_bootstrap, security))


async def test_a_kafka_that_is_away_is_no_refusal(protected: ProtectedKafka) -> None:
    with pytest.raises(KafkaError):
        await topics(replace(protected.connection(SUPERUSER), bootstrap=f"127.0.0.1:{free_port()}"))


async def test_a_renewed_certificate_is_used_at_the_next_connection(protected: ProtectedKafka, tmp_path: Path) -> None:
    for path in protected.directory.glob("*.*"):
        if path.suffix in {".crt", ".key"}:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    copied = replace(protected, directory=tmp_path)
    connection = KafkaConnection(protected.certificate_bootstrap, copied.certified(SUPERUSER))
    assert SEEN in await topics(connection)
    make_certificate(tmp_path, "stranger")
    for suffix in ("crt", "key"):
        (tmp_path / f"stranger.{suffix}").replace(tmp_path / f"{SUPERUSER}.{suffix}")
    # The stranger is let in, and may see nothing.
    assert await topics(connection) == []


async def test_a_user_that_a_superuser_makes_is_let_in(protected: ProtectedKafka, tmp_path: Path) -> None:
    made = replace(protected, directory=tmp_path)
    certificate_path(tmp_path, AUTHORITY).write_bytes(certificate_path(protected.directory, AUTHORITY).read_bytes())
    (tmp_path / "made.password").write_text("a new password")
    with pytest.raises(KafkaRefusesError):
        await topics(made.connection("made"))
    await set_passwords(protected.connection(SUPERUSER), {"made": b"a new password"})
    assert await topics(made.connection("made")) == []


def test_a_refused_command_ends_with_status_2_and_what_to_look_at(protected: ProtectedKafka, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("wrong")
    security = protected.security(SUPERUSER).model_copy(update={"sasl_password_file": wrong})
    done = run_command(protected, security, "topics", "check")
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("countersign: Kafka at ")
    assert "KAFKA_SASL_PASSWORD_FILE" in last


def test_a_refused_service_ends_with_status_2_and_what_to_look_at(protected: ProtectedKafka, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("wrong")
    wrong.chmod(0o644)
    security = protected.security("push").model_copy(update={"sasl_password_file": wrong})
    settings = {
        "PUSH_KAFKA_BOOTSTRAP": protected.bootstrap,
        "PUSH_PORT": str(free_port()),
        "PUSH_DATA_DIRECTORY": str(tmp_path / "data"),
        "PUSH_SECRETS_DIRECTORY": str(tmp_path / "secrets"),
    }
    done = run_with({**environment(security), **settings}, "services.push")
    assert done.returncode == 2, done.stdout + done.stderr
    last = next(line for line in done.stdout.splitlines() if '"cannot serve"' in line)
    assert "KAFKA_SASL_PASSWORD_FILE" in last
    assert f'"path": "{wrong}", "event": "a secret is open to other users' in done.stdout


def test_kafkas_own_tools_log_in_too(protected: ProtectedKafka) -> None:
    made = run_command(protected, protected.security(SUPERUSER), "kafka", "topics", "--create", "--topic", "made")
    assert made.returncode == 0, made.stdout + made.stderr
    removed = run_command(
        replace(protected, bootstrap=protected.certificate_bootstrap),
        protected.certified(SUPERUSER),
        *("kafka", "topics", "--delete", "--topic", "made"),
    )
    assert removed.returncode == 0, removed.stdout + removed.stderr


def run_command(protected: ProtectedKafka, security: KafkaSecurity, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run an operator's command with these settings."""
    assert security.security_protocol != PLAINTEXT
    return run_with({**environment(security), "LOGIN_KAFKA_BOOTSTRAP": protected.bootstrap}, "cli", *words)


def run_with(settings: dict[str, str], module: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a module with settings in its environment."""
    command = ["env", *(f"{name}={value}" for name, value in settings.items()), sys.executable, "-m", module, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
