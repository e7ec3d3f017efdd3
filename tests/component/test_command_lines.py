"""Every option and argument of every command takes any text, and answers in words, never with a traceback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Final

import pytest
import typer
from typer.core import TyperArgument
from typer.testing import CliRunner

from authenticator.device.__main__ import app as authenticator
from authenticator.device.errors import DeviceError
from cli.__main__ import app as countersign
from lab.load.__main__ import app as load

NOWHERE: Final = "127.0.0.1:1"
ODD: Final = ("x" * 100_000, "a\x00b", "\udcff", "/dev/full", "/", "-1", "http://[::1")
STARTS_A_STACK: Final = {"waiting", "starts"}


@dataclass(frozen=True)
class Case:
    """An option or an argument of a command of a program."""

    app: typer.Typer
    path: tuple[str, ...]
    command: Any
    parameter: Any

    def __str__(self) -> str:
        """Return its name for a test."""
        return "-".join((*self.path, str(self.parameter.name)))

    def words(self, value: str, directory: Path) -> list[str]:
        """Return a command line that has a value here, and else what cannot do harm."""
        safe = {"kafka": NOWHERE, "secrets_directory": str(directory), "timeout": "0", "timeout_seconds": "0"}
        options = ["--state", str(directory / "state"), "--url", f"http://{NOWHERE}"] * (self.app is authenticator)
        options, arguments = [*options, *self.path], list[str]()
        for each in self.command.params:
            given = value if each is self.parameter else safe.get(each.name, "1" if each.required else None)
            if isinstance(each, TyperArgument):
                arguments.extend([] if given is None else [given])
            elif getattr(each, "is_flag", False):
                options.extend([each.opts[0]] if each.name in {"yes", "password_stdin", "as_json"} else [])
            elif given is not None:
                options.append(f"{each.opts[0]}={given}")
        return [*options, "--", *arguments]


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, each in getattr(command, "commands", {}).items():
        yield from _commands(each, (*path, name))
    if not hasattr(command, "commands") and not STARTS_A_STACK & {*path}:
        yield path, command


CASES: Final = [
    Case(app, path, command, parameter)
    for app in (countersign, authenticator, load)
    for path, command in _commands(typer.main.get_command(app), ())
    for parameter in command.params
    if parameter.name != "help" and not getattr(parameter, "is_flag", False)
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_any_text_is_answered_in_words(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for value in ODD:
        result = CliRunner().invoke(case.app, case.words(value, tmp_path), input="correct horse battery\n")
        assert isinstance(result.exception, NoneType | SystemExit | DeviceError), (value[:20], result.exception)
        assert "Traceback" not in result.output


def test_commands_are_found() -> None:
    assert len(CASES) > 80


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (b"Gr\xfcne-Stra\xdfe 17\n", "standard input is not UTF-8"),
        (b"\xff\xfem\x00a\x00r\x00s\x00h\x00\n\x00", "standard input is not UTF-8"),
    ],
    ids=["Latin-1", "UTF-16"],
)
@pytest.mark.parametrize("words", [("accounts", "add", "anna"), ("seed",)], ids=["add", "seed"])
def test_standard_input_that_is_not_utf_8_is_one_line_and_status_2(
    words: tuple[str, ...], typed: bytes, why: str, tmp_path: Path
) -> None:
    app = load if words == ("seed",) else countersign
    options = ["--password-stdin", "--kafka", NOWHERE, "--secrets-directory", str(tmp_path)]
    result = CliRunner().invoke(app, [*words, *options], input=typed)
    assert (result.exit_code, result.stderr) == (2, f"countersign: {why}\n")


@pytest.mark.parametrize("program", ["cli", "authenticator.device"])
def test_a_full_disk_is_one_line(program: str, tmp_path: Path) -> None:
    words = ("keys", "list") if program == "cli" else ("--state", str(tmp_path / "state"), "status")
    secrets = {"LOGIN_SECRETS_DIRECTORY": str(tmp_path)}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", program, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**os.environ, **secrets},
            check=False,
        )
    assert (done.returncode, done.stderr.decode().splitlines()[1:]) == (2, []), done.stderr
    assert b"No space left on device" in done.stderr
