"""`python -m lab.load seed` rejects invalid options before it does anything."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab.load.__main__ import app

PASSWORD = "correct horse battery"


@pytest.mark.parametrize(
    ("words", "typed", "message"),
    [
        (("--accounts", "2", "--phones", "3"), PASSWORD, "more phones than accounts"),
        (("--names", "Large "), PASSWORD, "a name has small letters"),
        ((), "", "the password of all accounts"),
        (("--kafka", "127.0.0.1:1"), PASSWORD, "Kafka cannot be reached at 127.0.0.1:1"),
    ],
)
def test_an_invalid_option_is_an_error(tmp_path: Path, words: tuple[str, ...], typed: str, message: str) -> None:
    command = ["seed", "--password-stdin", "--secrets-directory", str(tmp_path), *words]
    result = CliRunner().invoke(app, command, input=f"{typed}\n")
    assert result.exit_code == 1
    assert message in result.stderr


def test_the_help_warns_about_use_and_running_services() -> None:
    text = " ".join(CliRunner().invoke(app, ["seed", "--help"]).stdout.split())
    assert "Never where people sign in" in text
    assert "the services must not" in text
