"""The account that a first run makes, so that there is somebody to sign in as."""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.stack import Stack

NAME: Final = "demo"
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS: Final = 4
_GROUP_LETTERS: Final = 4
_TIMEOUT_SECONDS: Final = 60


class DemoAccountError(Exception):
    """The demo account could not be made."""


def demo_password(stack: Stack) -> str:
    """Return the demo account's password; at the first run, make both.

    Args:
        stack: The running stack.

    Raises:
        DemoAccountError: If the account could not be made; the next run tries again.

    """
    kept = stack.secrets / "demo-password"
    if kept.exists():
        return kept.read_text().strip()
    password = "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS)
    )  # 79 bits, easy to type
    _add_account(stack, password)
    _write_secret(kept, password)
    return password


def _add_account(stack: Stack, password: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "accounts", "add", NAME, "--password-stdin"],
        input=password + "\n",
        env={**os.environ, **stack.environment("login")},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode:
        text = f"The account {NAME} could not be made: {done.stderr.strip() or done.stdout.strip()}"
        raise DemoAccountError(text)


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text + "\n")
