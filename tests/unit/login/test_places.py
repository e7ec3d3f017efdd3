"""The place of an address, from a GeoIP database on disk."""

from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from services.common.settings import load_settings
from services.login.places import Places
from services.login.settings import LoginSettings

GENEVA = {
    "city": {"names": {"en": "Geneva", "de": "Genf"}},
    "country": {"iso_code": "CH", "names": {"en": "Switzerland"}},
}
SWITZERLAND = {"country": {"iso_code": "CH", "names": {"en": "Switzerland", "de": "Schweiz"}}}
NAMELESS = {"location": {"latitude": 1.5}}


def a_database(path: Path, kind: str = "GeoLite2-City") -> Path:
    """Write a small database."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type=kind)
    writer.insert_network(IPSet(["203.0.114.0/24", "2a00:1450::/32"]), GENEVA)
    writer.insert_network(IPSet(["8.8.8.0/24"]), SWITZERLAND)
    writer.insert_network(IPSet(["9.9.9.0/24"]), NAMELESS)
    writer.insert_network(IPSet(["10.0.0.0/8"]), GENEVA)
    writer.to_db_file(str(path))
    return path


@pytest.mark.parametrize("address", ["203.0.114.7", "2a00:1450::7"])
def test_city_and_country_are_named(address: str, tmp_path: Path) -> None:
    assert Places(a_database(tmp_path / "city.mmdb")).find(address) == "Geneva, Switzerland"


def test_a_country_alone_is_named(tmp_path: Path) -> None:
    assert Places(a_database(tmp_path / "city.mmdb")).find("8.8.8.8") == "Switzerland"
    assert Places(a_database(tmp_path / "country.mmdb", "DBIP-Country-Lite")).find("8.8.8.8") == "Switzerland"


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "127.0.0.1",
        "::1",
        "fe80::1",
        "1.1.1.1",
        "9.9.9.9",
        "unknown",
        "",
        "203.0.114.7, 8.8.8.8",
        "x" * 9999,
    ],
)
def test_a_private_unknown_or_invalid_address_has_no_place(address: str, tmp_path: Path) -> None:
    assert Places(a_database(tmp_path / "city.mmdb")).find(address) == ""


def test_no_address_has_a_place_without_a_database() -> None:
    assert Places(None).find("203.0.114.7") == ""


@pytest.mark.parametrize("content", [None, b"", b"not a database", b"\xab\xcd\xefMaxMind.com"])
def test_a_missing_or_broken_database_is_an_invalid_setting(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "city.mmdb"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("LOGIN_GEOIP_DATABASE", str(path))
    with pytest.raises(SystemExit) as stopped:
        load_settings(LoginSettings, "program", [])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert "setting LOGIN_GEOIP_DATABASE (or --geoip-database) is invalid" in error
    assert f"{path} cannot be read" in error


def test_a_database_of_another_kind_is_an_invalid_setting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = a_database(tmp_path / "asn.mmdb", "GeoLite2-ASN")
    with pytest.raises(SystemExit):
        load_settings(LoginSettings, "program", ["--geoip-database", str(path)])
    assert "it must be a City or a Country database" in capsys.readouterr().err


def test_a_readable_database_is_used(tmp_path: Path) -> None:
    path = a_database(tmp_path / "city.mmdb")
    settings = load_settings(LoginSettings, "program", ["--geoip-database", str(path)])
    assert Places(settings.geoip_database).find("203.0.114.7") == "Geneva, Switzerland"
