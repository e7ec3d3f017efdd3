"""``countersign passwords``: build and check the filter of breached passwords."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.common import give_up
from services.login.breached_passwords import LONGEST_LINE, BreachedPasswords, FilterError, build_filter

app = typer.Typer(help="Build and check the filter of breached passwords.", no_args_is_help=True)
Filter = Annotated[Path, typer.Argument(metavar="FILTER", help="The filter's file.")]


@app.command()
def build(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="LIST", help="Lines of passwords, or of SHA-1 hashes as Have I Been Pwned has them; - reads stdin."
        ),
    ],
    target: Filter,
    *,
    least_count: Annotated[
        int, typer.Option(min=1, help="Leave out hashes that were seen less often, where the list has counts.")
    ] = 1,
) -> None:
    """Build the filter for LOGIN_BREACHED_PASSWORDS from a public list. It takes 4 bytes for each password."""
    console = Console(stderr=True)
    try:
        with (
            console.status("Reading the list") as status,
            sys.stdin.buffer if source == Path("-") else source.open("rb") as lines,
        ):
            bounded = iter(lambda: lines.readline(LONGEST_LINE + 2), b"")
            count = build_filter(bounded, target, least_count, lambda read: status.update(f"Lines read: {read:,}"))
    except FilterError as error:
        give_up(str(error))
    except OSError as error:
        give_up(f"{error.filename or target}: {error.strerror}")
    typer.echo(f"{target} has {count:,} passwords. Set LOGIN_BREACHED_PASSWORDS to it, and restart the login service.")


@app.command()
def check(target: Filter) -> None:
    """Read all of a filter, and compare it with its checksums."""
    try:
        found = BreachedPasswords(target)
        found.check()
    except FilterError as error:
        give_up(str(error))
    typer.echo(f"{target} has {len(found):,} passwords, and is whole.")
