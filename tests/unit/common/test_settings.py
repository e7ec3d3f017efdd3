"""Settings: the command line overrides the environment, and an invalid setting is named."""

import pytest

from services.common.settings import ServiceSettings, load_settings
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
