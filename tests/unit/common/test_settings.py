"""Settings: the command line overrides the environment, and an invalid setting is named."""

import pytest

from services.common.settings import ServiceSettings, load_settings, read_networks
from services.login.settings import LoginSettings
from services.pairing.settings import PairingSettings
from services.push.settings import PushSettings

KINDS: tuple[type[ServiceSettings], ...] = (LoginSettings, PairingSettings, PushSettings)


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_has_a_default(kind: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in kind.model_fields:
        monkeypatch.delenv(f"{kind.model_config.get('env_prefix', '')}{name.upper()}", raising=False)
    settings = load_settings(kind, "program", [])
    assert settings.url == f"http://localhost:{settings.port}"


def test_the_command_line_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGIN_PORT", "8111")
    monkeypatch.setenv("LOGIN_PRODUCT_NAME", "Door")
    settings = load_settings(LoginSettings, "program", ["--port", "8222"])
    assert (settings.port, settings.product_name) == (8222, "Door")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOGIN_PORT", "0"),
        ("LOGIN_PORT", "many"),
        ("LOGIN_CHALLENGE_SECONDS", "1"),
        ("LOGIN_PASSWORDS_TRIES", "0"),
        ("LOGIN_TOPIC_PREFIX", "a b"),
    ],
)
def test_an_invalid_setting_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        load_settings(LoginSettings, "python -m services.login", [])
    assert stopped.value.code == 2
    output = capsys.readouterr().err
    flag = {"LOGIN_PASSWORDS_TRIES": "passwords.tries"}.get(name, name.removeprefix("LOGIN_").lower().replace("_", "-"))
    assert f"setting {name} (or --{flag}) is invalid" in output


def test_help_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        load_settings(LoginSettings, "python -m services.login", ["--help"])
    assert stopped.value.code == 0
    output = capsys.readouterr().out
    for name in LoginSettings.model_fields:
        assert f"--{name.replace('_', '-')}" in output


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:10180/auth/",
        "https://example.org/auth",
        "x.example",
        "//x.example",
        "ftp://x.example",
        "http://",
        "http://x.example:0",
        "http://x.example:99999",
        "http://[::1",
        "https://x.example?a",
        "https://x.example#",
        "https://user@x.example",
        "https://x .example",
        "https://b\u00fccher.example",
        "",
    ],
)
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (LoginSettings, "LOGIN_PUBLIC_URL"),
        (LoginSettings, "LOGIN_ISSUER"),
        (LoginSettings, "LOGIN_AUTHENTICATOR_URL"),
        (PairingSettings, "PAIRING_ISSUER"),
        (PushSettings, "PUSH_PAIRING_URL"),
    ],
)
def test_a_url_that_cannot_work_is_refused_at_the_start(
    kind: type[ServiceSettings],
    name: str,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, url)
    with pytest.raises(SystemExit) as ended:
        load_settings(kind, "program", [])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert name in line
    assert "no path" in line


@pytest.mark.parametrize(
    "url", ["https://x.example", "https://X.example:8443/", "http://[::1]:8100", "http://192.0.2.1"]
)
def test_a_url_is_kept_without_the_slash_at_its_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGIN_PUBLIC_URL", url)
    assert load_settings(LoginSettings, "program", []).url == url.rstrip("/")


@pytest.mark.parametrize("networks", ["10.0.0.0/8, 2001:db8::/32", "192.0.2.1 10.0.0.0/8", ""])
def test_networks_are_separated_by_spaces_or_commas(networks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGIN_TRUSTED_NETWORKS", networks)
    assert len(read_networks(load_settings(LoginSettings, "program", []).trusted_networks)) == len(networks.split())


def test_a_network_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PUSH_TRUSTED_NETWORKS", "10.0.0.1/8")
    with pytest.raises(SystemExit):
        load_settings(PushSettings, "program", [])
    assert "PUSH_TRUSTED_NETWORKS" in capsys.readouterr().err
