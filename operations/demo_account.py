"""The demo account, created at the first run of a demo deployment.

``python -m operations.demo_account DIRECTORY`` creates it with the login service's settings from the environment,
stores its password in the directory, and prints both.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

NAME: Final = "demo"
# Without letters that look alike. Four groups of four letters have 79 bits and are easy to type.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS: Final = 4
_GROUP_LETTERS: Final = 4
_TIMEOUT_SECONDS: Final = 180


class DemoAccountError(Exception):
    """The demo account could not be created."""


def main(directory: Annotated[Path, typer.Argument(help="Directory of the password file.")]) -> None:
    """Create the demo account at the first run, and print its name and password."""
    try:
        password = demo_password(directory, {})
    except DemoAccountError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"Sign in as {NAME} with the password {password}")


def demo_password(directory: Path, environment: Mapping[str, str]) -> str:
    """Return the demo account's password; the first run creates the account.

    Args:
        directory: The directory of the password file.
        environment: The login service's settings, in addition to this process's environment.

    Raises:
        DemoAccountError: If the account could not be created; the next run tries again.

    """
    password_file = directory / "demo-password"
    if password_file.exists():
        return password_file.read_text().strip()
    draft = directory / "demo-password.new"
    if draft.exists():
        # An earlier run was interrupted, so the account may exist or not.
        _accounts(environment, "remove", NAME)
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS))
    draft.touch(mode=0o600)
    draft.write_text(password + "\n")
    done = _accounts(environment, "add", NAME, "--password-stdin", password=password)
    if done.returncode:
        text = f"The account {NAME} could not be created: {done.stderr.strip() or done.stdout.strip()}"
        raise DemoAccountError(text)
    draft.replace(password_file)
    return password


def _accounts(environment: Mapping[str, str], *words: str, password: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a `countersign accounts` command."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "accounts", *words],
        input=password + "\n",
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )


if __name__ == "__main__":
    typer.run(main)
