"""`countersign policy rehearse` and `countersign audit verify` refuse what they cannot do, and say what they can."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from services.common.keys.keys import load_agreement_keys, load_secret, load_signing_keys


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Give a secrets directory as the services make it."""
    for service in ("login", "pairing"):
        load_signing_keys(tmp_path, service)
    load_agreement_keys(tmp_path, "login")
    for name in ("phrase", "numbers"):
        load_secret(tmp_path, name)
    return tmp_path


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("LOGIN_PORT=8101", "LOGIN_PORT makes no difference to a decision here; those that can make one are"),
        ("LOGIN_NUMBER_MATCHING=false", "LOGIN_NUMBER_MATCHING makes no difference"),
        ("LOGIN_ADDRESS_TRIES=2", "LOGIN_ADDRESS_TRIES makes no difference"),
        ("LOGIN_MOST_PROMTS=2", "LOGIN_MOST_PROMTS is no setting of the login service; those that can make one are"),
        ("LOGIN_MOST_PROMPTS", "'LOGIN_MOST_PROMPTS' is not NAME=VALUE"),
        ("LOGIN_MOST_PROMPTS=many", "LOGIN_MOST_PROMPTS is invalid: Input should be a valid integer"),
        ("LOGIN_MOST_PROMPTS=0", "LOGIN_MOST_PROMPTS is invalid: Input should be greater than or equal to 1"),
        ("LOGIN_MOST_PROMPTS=3", "these settings are in force already"),
    ],
)
def test_a_setting_that_cannot_be_rehearsed_is_refused(secrets: Path, setting: str, why: str) -> None:
    result = CliRunner().invoke(app, ["policy", "rehearse", "--set", setting, "--secrets-directory", str(secrets)])
    assert result.exit_code == 2
    assert why in result.stderr


@pytest.mark.parametrize("words", [("audit", "verify"), ("policy", "rehearse", "--set", "LOGIN_MOST_PROMPTS=2")])
def test_without_the_services_keys_nothing_is_decided_again_and_no_key_is_made(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    result = CliRunner().invoke(app, [*words, "--secrets-directory", str(tmp_path)])
    assert result.exit_code == 2
    assert "login-signing.jwks.json is not there; the login service makes it at its start" in result.stderr
    assert [*tmp_path.iterdir()] == []


def test_a_span_that_is_empty_is_refused() -> None:
    result = CliRunner().invoke(app, ["audit", "verify", "--since", "1h", "--until", "2h"])
    assert (result.exit_code, "the span is empty" in result.stderr) == (2, True)
