"""Commands that end in one line where the world fails them, and never in a traceback."""

import os
import sys
from typing import Any, Final

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

CANNOT_RUN: Final = 2
LONGEST_TEXT: Final = 200


class Commands(TyperGroup):
    """The commands of a program. A full disk, an unreadable file or text that is not UTF-8 is one line and status 2."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command."""
        if any("\0" in each for each in kwargs.get("args") or ()):
            typer.echo("an argument holds a zero byte", err=True)
            raise SystemExit(CANNOT_RUN)
        try:
            return super().main(*args, **kwargs)
        except (OSError, UnicodeError, ValidationError) as error:
            _give_up_on_standard_output(error)
            typer.echo(f"{kwargs.get('prog_name') or self.name}: {describe(error)}", err=True)
            raise SystemExit(CANNOT_RUN) from None


def describe(error: OSError | UnicodeError | ValidationError) -> str:
    """Return an error as one short line, without what was typed."""
    match error:
        case OSError():
            text = error.strerror or str(error)
            return f"{str(error.filename)[:LONGEST_TEXT]!r}: {text}" if error.filename is not None else text
        case ValidationError():
            first = error.errors(include_input=False, include_url=False)[0]
            return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:LONGEST_TEXT]
        case _:
            return "a text is not UTF-8"


def _give_up_on_standard_output(error: Exception) -> None:
    """Drop what waits for standard output if it takes nothing: Python would fail at it once more at the end."""
    own = sys.__stdout__
    if isinstance(error, OSError) and error.filename is None and own is not None and sys.stdout is own:
        os.dup2(os.open(os.devnull, os.O_WRONLY), own.fileno())
