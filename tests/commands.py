"""Modules that are commands by themselves, for the test runner."""

from collections.abc import Callable
from typing import Any

import typer


def command_of(main: Callable[..., Any]) -> typer.Typer:
    """Return the program that a module's main function is."""
    app = typer.Typer()
    app.command()(main)
    return app
