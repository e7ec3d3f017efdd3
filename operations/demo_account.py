"""The account that a first run makes, so that there is somebody to sign in as.

``python -m operations.demo_account DIRECTORY`` makes it with the login service's settings from the environment, keeps
its password in the directory, and prints both.
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
# No letter that looks like another one: four groups of four are 79 bits, and easy to type.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS: Final = 4
_GROUP_LETTERS: Final = 4
_TIMEOUT_SECONDS: Final = 180


class DemoAccountError(Exception):
    """The demo account could not be made."""


def main(directory: Annotated[Path, typer.Argument(help="Where its password is kept.")]) -> None:
    """Make the demo account at the first run, and print its name and password."""
    try:
        password = demo_password(directory, {})
    except DemoAccountError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"Sign in as {NAME} with the password {password}")


def demo_password(directory: Path, environment: Mapping[str, str]) -> str:
    """Return the demo account's password; at the first run, make both.

    Args:
        directory: Where the password is kept.
        environment: The login service's settings, as far as this process does not have them already.

    Raises:
        DemoAccountError: If the account could not be made; the next run tries again.

    """
    kept = directory / "demo-password"
    if kept.exists():
        return kept.read_text().strip()
    draft = directory / "demo-password.new"
    if draft.exists():
        # A run ended in between: the account may be there or not.
        _accounts(environment, "remove", NAME)
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS))
    draft.touch(mode=0o600)
    draft.write_text(password + "\n")
    done = _accounts(environment, "add", NAME, "--password-stdin", password=password)
    if done.returncode:
        text = f"The account {NAME} could not be made: {done.stderr.strip() or done.stdout.strip()}"
        raise DemoAccountError(text)
    draft.replace(kept)
    return password


def _accounts(environment: Mapping[str, str], *words: str, password: str = "") -> "subprocess.CompletedProcess[str]":
    """Run one of the `countersign accounts` commands."""
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
