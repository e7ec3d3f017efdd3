"""``countersign accounts``: create, invite, list, reset and remove accounts."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from cli.common import DEFAULT_KAFKA, Kafka, Prefix, give_up
from services.common.kafka.connection import KafkaConnection
from services.common.progress import Progress
from services.login.admin import AdminError, Administration, administration
from services.login.domain.account import Account
from services.login.settings import DEFAULT_PRODUCT_NAME

app = typer.Typer(help="Create, invite, list, reset and remove accounts.", no_args_is_help=True)
ResultT = TypeVar("ResultT")
MAX_NAMES = 10
"""Maximum number of names in an error message."""

Name = Annotated[str, typer.Argument(help="The sign-in name, not case-sensitive.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def add(  # noqa: PLR0913 - the options of a command
    name: Name,
    *,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
    ] = False,
    display_name: Annotated[str | None, typer.Option(help="The name that pages show; default NAME.")] = None,
    product_name: Annotated[
        str, typer.Option(envvar="LOGIN_PRODUCT_NAME", help="The product's name, which no password may contain.")
    ] = DEFAULT_PRODUCT_NAME,
    email: Annotated[str, typer.Option(help="Address for notices and enrolment codes.")] = "",
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
) -> None:
    """Create an account. Without --password-stdin, the command prompts for the password."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _ask_password()

    async def work() -> Account:
        async with _administration(kafka, topic_prefix) as accounts:
            return await accounts.add(name, password, display_name, product_name, email=email)

    account = _run(work())
    typer.echo(f"Created account {account.account_id}. Its owner pairs a phone at the first sign-in.")


@app.command("list")
def list_accounts(*, kafka: Kafka = DEFAULT_KAFKA, topic_prefix: Prefix = "", as_json: AsJson = False) -> None:
    """List the accounts. Exit code 1: the data of at least one account cannot be read."""
    unreadable: list[str] = []

    async def work() -> None:
        async with _administration(kafka, topic_prefix) as accounts:
            found = accounts.list(unreadable.append)
            _print_json(found) if as_json else _print_lines(found)

    _run(work())
    if unreadable:
        give_up(
            f"The data of {len(unreadable)} accounts cannot be read: {', '.join(unreadable[:MAX_NAMES])}. "
            'docs/operations.md, "Not ready: unexpected errors repeat", says what to do.'
        )


@app.command()
def remove(name: Name, *, kafka: Kafka = DEFAULT_KAFKA, topic_prefix: Prefix = "") -> None:
    """Remove an account with its phones, sessions and history."""

    async def work() -> None:
        async with _administration(kafka, topic_prefix) as accounts:
            await accounts.remove(name)

    _run(work())
    typer.echo(f"Removed account {name}.")


@app.command()
def email(
    name: Name,
    address: Annotated[str, typer.Argument(help="The new address; '' for none.")],
    *,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
) -> None:
    """Change the address for an account's notices and enrolment codes."""

    async def work() -> None:
        async with _administration(kafka, topic_prefix) as accounts:
            await accounts.set_email(name, address)

    _run(work())
    typer.echo(f"Notices for {name} go to {address}." if address else f"No notices for {name} are sent.")


@app.command()
def invite(
    name: Name,
    *,
    days: Annotated[int, typer.Option(min=1, max=90, help="Validity of the code in days.")] = 7,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
) -> None:
    """Create an enrolment code, which the first pairing needs if LOGIN_ENROLMENT is invitation or email."""

    async def work() -> str:
        async with _administration(kafka, topic_prefix) as accounts:
            return await accounts.invite(name, timedelta(days=days))

    code = _run(work())
    typer.echo(f"Enrolment code for {name}: {code}")
    typer.echo(f"Give it to the account's owner. It is valid once, for {days} days, and is not shown again.")


@app.command()
def reset(
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
) -> None:
    """Remove all phones, apps and recovery codes of an account, and sign it out everywhere."""
    if not yes:
        typer.confirm(f"Remove all sign-in methods of {name}? Its owner must enrol again", abort=True)

    async def work() -> None:
        async with _administration(kafka, topic_prefix) as accounts:
            await accounts.reset(name)

    _run(work())
    typer.echo(f"Removed all sign-in methods of {name}. Its owner enrols again at the next sign-in.")


@asynccontextmanager
async def _administration(kafka: KafkaConnection, topic_prefix: str) -> AsyncIterator[Administration]:
    """Connect to the accounts, and display the progress, since reading a million of them takes a minute."""
    with ExitStack() as display:
        console = Console(stderr=True)
        status = display.enter_context(console.status("Reading the accounts"))

        def show(progress: Progress) -> None:
            status.update(f"Reading the accounts: {progress.percent} %")

        async with administration(kafka, topic_prefix, show) as accounts:
            display.close()
            yield accounts


def _print_lines(accounts: Iterator[Account]) -> None:
    account = None
    for account in accounts:
        methods = ", ".join(method.name for method in account.methods) or "no phone"
        typer.echo(f"{account.account_id:<24}  {account.created_at:%Y-%m-%d %H:%M} UTC  {methods}")
    if account is None:
        typer.echo("There are no accounts. Create one with: countersign accounts add NAME")


def _print_json(accounts: Iterator[Account]) -> None:
    """Print an array, one account per line."""
    separator = "["
    for account in accounts:
        typer.echo(separator)
        typer.echo(json.dumps(_as_dict(account)), nl=False)
        separator = ","
    typer.echo("\n]" if separator == "," else "[]")


def _ask_password() -> str:
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _as_dict(account: Account) -> dict[str, object]:
    return {
        "account_id": account.account_id,
        "display_name": account.display_name,
        "email": account.email,
        "created_at": account.created_at.isoformat(),
        "phones": [{"name": device.name, "device_id": device.device_id} for device in account.devices],
        "apps": [{"name": app.name} for app in account.apps],
        "recovery_codes_left": account.recovery.left if account.recovery is not None else 0,
    }


def _run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    try:
        return asyncio.run(work)
    except AdminError as error:
        give_up(str(error))
