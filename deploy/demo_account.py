"""The account that a first run makes, so that there is somebody to sign in as."""

import os
import secrets
import subprocess
import sys
from typing import Final

from deploy.stack import Stack

NAME: Final = "demo"
# No letter that looks like another one: four groups of four are 79 bits, and easy to type.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS: Final = 4
_GROUP_LETTERS: Final = 4
_TIMEOUT_SECONDS: Final = 180


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
    draft = stack.secrets / "demo-password.new"
    if draft.exists():
        # A run ended in between: the account may be there or not.
        _accounts(stack, "remove", NAME)
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS))
    draft.touch(mode=0o600)
    draft.write_text(password + "\n")
    done = _accounts(stack, "add", NAME, "--password-stdin", password=password)
    if done.returncode:
        text = f"The account {NAME} could not be made: {done.stderr.strip() or done.stdout.strip()}"
        raise DemoAccountError(text)
    draft.replace(kept)
    return password


def _accounts(stack: Stack, *words: str, password: str = "") -> "subprocess.CompletedProcess[str]":
    """Run one of the `countersign accounts` commands on the stack."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "accounts", *words],
        input=password + "\n",
        env={**os.environ, **stack.environment("login")},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
