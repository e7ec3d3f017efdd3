"""The commands that README.md shows."""

import re
import shlex
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_BLOCK: Final = re.compile(r"^ {4}(make .*)$", re.MULTILINE)
_IN_TEXT: Final = re.compile(r"`(make [^`]*)`")


def shown_commands() -> list[list[str]]:
    """Return each command of make that README.md shows, in its words."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [shlex.split(command, comments=True) for pattern in (_BLOCK, _IN_TEXT) for command in pattern.findall(text)]
