"""`countersign policy rehearse` and `countersign audit verify` reject invalid options with the valid ones."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("LOGIN_PORT=8101", "LOGIN_PORT has no effect on decisions here; those with an effect are"),
        ("LOGIN_NUMBER_MATCHING=false", "LOGIN_NUMBER_MATCHING has no effect"),
        ("LOGIN_ADDRESSES_TRIES=2", "LOGIN_ADDRESSES_TRIES has no effect"),
        ("LOGIN_CHALENGES_MOST=2", "LOGIN_CHALENGES_MOST is not a setting of the login service; those with an effect"),
        ("LOGIN_CHALLENGES_MOST", "'LOGIN_CHALLENGES_MOST' is not NAME=VALUE"),
        ("LOGIN_CHALLENGES_MOST=many", "LOGIN_CHALLENGES_MOST is invalid: Input should be a valid integer"),
        ("LOGIN_CHALLENGES_MOST=0", "LOGIN_CHALLENGES_MOST is invalid: Input should be greater than or equal to 1"),
        ("LOGIN_CHALLENGES_MOST=3", "these settings are already in force"),
    ],
)
def test_an_unsuitable_setting_is_rejected(setting: str, why: str) -> None:
    result = CliRunner().invoke(app, ["policy", "rehearse", "--set", setting])
    assert result.exit_code == 2
    assert why in result.stderr


def test_an_audit_without_the_services_keys_fails_and_creates_none(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["audit", "verify", "--secrets-directory", str(tmp_path)])
    assert result.exit_code == 2
    assert "login-signing.jwks.json is missing; the login service creates it at its start" in result.stderr
    assert [*tmp_path.iterdir()] == []


def test_an_empty_time_range_is_rejected() -> None:
    result = CliRunner().invoke(app, ["audit", "verify", "--since", "1h", "--until", "2h"])
    assert (result.exit_code, "the time range is empty" in result.stderr) == (2, True)
