"""Settings of the mail server: none by default; invalid ones stop the start."""

import pytest

from services.common.settings import load_settings
from services.login.settings import LoginSettings


def load(**environment: str) -> LoginSettings:
    """Load the settings from an environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(f"LOGIN_{name}", value)
        return load_settings(LoginSettings, "program", [])


def test_no_mail_server_is_set_by_default() -> None:
    assert load().smtp_host == ""


def test_starttls_is_the_default() -> None:
    settings = load(SMTP_HOST="mail.example.org", MAIL_FROM="account@example.org")
    assert (settings.smtp_port, settings.smtp_security) == (587, "starttls")


def test_the_password_is_not_in_the_settings_text() -> None:
    settings = load(SMTP_HOST="mail.example.org", MAIL_FROM="a@example.org", SMTP_USERNAME="a", SMTP_PASSWORD="hunter2")
    assert settings.smtp_password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("environment", "named", "why"),
    [
        ({"SMTP_HOST": "mail.example.org"}, "MAIL_FROM", "it is required with LOGIN_SMTP_HOST"),
        ({"SMTP_HOST": "mail.example.org", "MAIL_FROM": "account"}, "MAIL_FROM", "not an e-mail address"),
        ({"MAIL_FROM": "a@example.org\nBcc: eve@example.org"}, "MAIL_FROM", "not an e-mail address"),
        ({"SMTP_USERNAME": "a", "SMTP_SECURITY": "none"}, "SMTP_USERNAME", "password would be sent unencrypted"),
        ({"SMTP_SECURITY": "ssl"}, "SMTP_SECURITY", "'tls'"),
        ({"SMTP_PORT": "0"}, "SMTP_PORT", "greater than"),
    ],
)
def test_an_invalid_setting_is_named(
    environment: dict[str, str], named: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        load(**environment)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert f"setting LOGIN_{named} " in error
    assert why in error
