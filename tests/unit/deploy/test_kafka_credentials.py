"""Credentials of a Kafka of one's own are made once, and each holder's are apart."""

from pathlib import Path

from cryptography.x509 import DNSName, SubjectAlternativeName, load_pem_x509_certificate
from typer.testing import CliRunner

from operations.kafka_credentials import Holder, main
from tests.commands import command_of


def test_each_holder_gets_its_own_and_keeps_it(tmp_path: Path) -> None:
    words = [str(tmp_path), "kafka=kafka,localhost", "login"]
    assert CliRunner().invoke(command_of(main), words).exit_code == 0
    files = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.name for path in files if path.parts[0] == "login"} == {
        "ca.crt",
        "certificate-and-key.pem",
        "login.crt",
        "login.key",
        "password",
    }
    assert files[Path("login/password")] != files[Path("kafka/password")]
    broker = load_pem_x509_certificate(files[Path("kafka/kafka.crt")])
    names = broker.extensions.get_extension_for_class(SubjectAlternativeName).value
    assert names.get_values_for_type(DNSName) == ["kafka", "localhost"]
    broker.verify_directly_issued_by(load_pem_x509_certificate(files[Path("login/ca.crt")]))
    private = {path for path in tmp_path.rglob("*") if path.suffix in {".key", ".pem"} or path.name == "password"}
    assert {oct(path.stat().st_mode & 0o777) for path in private} == {"0o600"}

    assert CliRunner().invoke(command_of(main), [*words, "audit"]).exit_code == 0
    assert {path: (tmp_path / path).read_bytes() for path in files} == files
    assert (tmp_path / "audit" / "password").exists()


def test_a_holder_has_an_owner_and_hosts() -> None:
    assert Holder.parse("kafka:1000=kafka,kafka-2") == Holder("kafka", 1000, ("kafka", "kafka-2"))
    assert Holder.parse("login") == Holder("login", None, ())
