"""What cannot work in the settings of the connection to Kafka is named in one line."""

import ssl
from pathlib import Path
from typing import Any, Final

import aiokafka.admin.client
import aiokafka.client
import pytest

from operations.certificates import AUTHORITY, certificate_path, key_path, make_authority, make_certificate
from services.common.kafka.connection import KafkaConnection, read_connection
from services.common.kafka.security import ConnectionSettingsError, KafkaSecurity

ADDRESS: Final = "localhost:9092"
METADATA: Final = 3
"""Kafka's number of the request."""


def refused(patch: pytest.MonkeyPatch, settings: dict[str, str], bootstrap: str = ADDRESS) -> str:
    """Return why settings are refused."""
    for name, value in settings.items():
        patch.setenv(f"KAFKA_{name}", value)
    with pytest.raises(ConnectionSettingsError) as error:
        read_connection(bootstrap)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_nothing_set_is_plaintext() -> None:
    assert read_connection(ADDRESS) == KafkaConnection(ADDRESS, KafkaSecurity())


def test_empty_settings_are_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SSL_CA_FILE", "")
    assert read_connection(ADDRESS) == KafkaConnection(ADDRESS)


@pytest.mark.parametrize("bootstrap", ["localhost:abc", "localhost:99999", "", "localhost:9092/"])
def test_a_malformed_address_is_named(monkeypatch: pytest.MonkeyPatch, bootstrap: str) -> None:
    assert f"{bootstrap!r} is no HOST:PORT list" in refused(monkeypatch, {}, bootstrap)


def test_an_unknown_protocol_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(monkeypatch, {"SECURITY_PROTOCOL": "SASL_PLAINTEXT"}).startswith("setting KAFKA_SECURITY_PROTOCOL")


def test_certificates_without_tls_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "certificates or a user are set: set SSL or SASL_SSL" in refused(monkeypatch, {"SSL_CA_FILE": "ca.crt"})


def test_a_certificate_without_its_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"SECURITY_PROTOCOL": "SSL", "SSL_CERTIFICATE_FILE": "a.crt"}
    assert "belong together" in refused(monkeypatch, settings)


def test_a_user_without_a_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": "login"}
    assert "set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE" in refused(monkeypatch, settings)


def test_a_user_without_the_password_check_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"SECURITY_PROTOCOL": "SSL", "SASL_USERNAME": "login"}
    assert "set SASL_SSL" in refused(monkeypatch, settings)


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missing = str(tmp_path / "ca.crt")
    text = refused(monkeypatch, {"SECURITY_PROTOCOL": "SSL", "SSL_CA_FILE": missing})
    assert text == f"setting KAFKA_SSL_CA_FILE is invalid: {missing}: No such file or directory"


def test_a_missing_password_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missing = str(tmp_path / "password")
    settings = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": "login", "SASL_PASSWORD_FILE": missing}
    assert "KAFKA_SASL_PASSWORD_FILE" in refused(monkeypatch, settings)


def test_an_empty_password_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("\n")
    settings = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": "login"}
    settings["SASL_PASSWORD_FILE"] = str(tmp_path / "password")
    assert refused(monkeypatch, settings).endswith("it is empty")


def test_a_damaged_certificate_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate")
    settings = {"SECURITY_PROTOCOL": "SSL", "SSL_CA_FILE": str(tmp_path / "ca.crt")}
    assert refused(monkeypatch, settings).startswith("setting KAFKA_SSL_CA_FILE is invalid")


def test_a_key_that_is_not_the_certificates_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_authority(tmp_path)
    for name in ("one", "other"):
        make_certificate(tmp_path, name)
    settings = {
        "SECURITY_PROTOCOL": "SSL",
        "SSL_CA_FILE": str(certificate_path(tmp_path, AUTHORITY)),
        "SSL_CERTIFICATE_FILE": str(certificate_path(tmp_path, "one")),
        "SSL_KEY_FILE": str(key_path(tmp_path, "other")),
    }
    assert "SSL_KEY_FILE is invalid" in refused(monkeypatch, settings)


def test_brokers_must_show_a_certificate_for_their_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_authority(tmp_path)
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SSL")
    monkeypatch.setenv("KAFKA_SSL_CA_FILE", str(certificate_path(tmp_path, AUTHORITY)))
    context = read_connection(ADDRESS).ssl_context
    assert context
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("module", [aiokafka.client, aiokafka.admin.client])
def test_no_client_asks_kafka_to_create_a_topic(module: Any) -> None:
    request = module.MetadataRequest(["missing"]).prepare({METADATA: (0, 12)})
    assert request.allow_auto_topic_creation is False
