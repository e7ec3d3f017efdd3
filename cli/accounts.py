"""``countersign accounts``: create, invite, list, reset and remove accounts."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from authenticator.device.terminal import printable
from cli.common import DEFAULT_DIRECTORY, DEFAULT_KAFKA, Directory, Kafka, Prefix, give_up, read_line
from services.common.kafka.connection import KafkaConnection
from services.common.progress import Progress
from services.login.admin import AdminError, Administration, administration
from services.login.domain.account import Account
from services.login.settings import DEFAULT_PRODUCT_NAME
from services.login.sign_in.password_policy import PasswordPolicy, load_policy

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
    forbidden_words: Annotated[
        Path | None, typer.Option(envvar="LOGIN_FORBIDDEN_WORDS", help="A file of words that no password may contain.")
    ] = None,
    breached_passwords: Annotated[
        Path | None, typer.Option(envvar="LOGIN_BREACHED_PASSWORDS", help="A filter of known breached passwords.")
    ] = None,
    email: Annotated[str, typer.Option(help="Address for notices and enrolment codes.")] = "",
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    secrets_directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Create an account. Without --password-stdin, the command prompts for the password."""
    policy = _policy(product_name, forbidden_words, breached_passwords)
    password = read_line() if password_stdin else _ask_password()

    async def work() -> Account:
        async with _administration(kafka, topic_prefix, secrets_directory) as accounts:
            return await accounts.add(name, password, display_name, policy, email=email)

    account = _run(work())
    typer.echo(f"Created account {account.name}. Its owner pairs a phone at the first sign-in.")


@app.command("list")
def list_accounts(
    *,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    secrets_directory: Directory = DEFAULT_DIRECTORY,
    as_json: AsJson = False,
) -> None:
    """List the accounts. Exit code 1: the data of at least one account cannot be read."""
    unreadable: list[str] = []

    async def work() -> None:
        async with _administration(kafka, topic_prefix, secrets_directory) as accounts:
            found = accounts.list(unreadable.append)
            _print_json(found) if as_json else _print_lines(found)

    _run(work())
    if unreadable:
        give_up(
            f"The data of {len(unreadable)} accounts cannot be read: {', '.join(unreadable[:MAX_NAMES])}. "
            'docs/operations.md, "Not ready: unexpected errors repeat", says what to do.'
        )


@app.command()
def rename(
    name: Name,
    new_name: Annotated[str, typer.Argument(help="The new sign-in name.")],
    *,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    secrets_directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Give an account another sign-in name. Its phones, sessions and history stay."""

    async def work() -> None:
        async with _administration(kafka, topic_prefix, secrets_directory) as accounts:
            await accounts.rename(name, new_name)

    _run(work())
    typer.echo(f"Renamed account {name} to {new_name}.")


@app.command()
def remove(
    name: Name,
    *,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    secrets_directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Remove an account with its phones, sessions and history."""

    async def work() -> None:
        async with _administration(kafka, topic_prefix, secrets_directory) as accounts:
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
    secrets_directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Change the address for an account's notices and enrolment codes."""

    async def work() -> None:
        async with _administration(kafka, topic_prefix, secrets_directory) as accounts:
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
    secrets_directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Create an enrolment code, which the first pairing needs if LOGIN_ENROLMENT is invitation or email."""

    async def work() -> str:
        async with _administration(kafka, topic_prefix, secrets_directory) as accounts:
            return await accounts.invite(name, timedelta(days=days))

    code = _run(work())
    typer.echo(f"Enrolment code for {name}: {code}")
    typer.echo(f"Give it to the account's owner. It is valid once, for {days} days, and is not shown again.")


@app.command()
def password(
    name: Name,
    *,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    secrets_directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Set a password for one sign-in, for an owner who forgot theirs or whose was stolen, and sign out everywhere."""

    async def work() -> str:
        async with _administration(kafka, topic_prefix, secrets_directory) as accounts:
            return await accounts.set_password(name)

    chosen = _run(work())
    typer.echo(f"Password for {name}: {chosen}")
    typer.echo("Give it to the account's owner, who chooses another one at the next sign-in. It is not shown again.")


@app.command()
def reset(
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    secrets_directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Remove all phones, apps and recovery codes of an account, and sign it out everywhere."""
    if not yes:
        typer.confirm(f"Remove all sign-in methods of {name}? Its owner must enrol again", abort=True)

    async def work() -> None:
        async with _administration(kafka, topic_prefix, secrets_directory) as accounts:
            await accounts.reset(name)

    _run(work())
    typer.echo(f"Removed all sign-in methods of {name}. Its owner enrols again at the next sign-in.")


@asynccontextmanager
async def _administration(kafka: KafkaConnection, topic_prefix: str, secrets: Path) -> AsyncIterator[Administration]:
    """Connect to the accounts, and display the progress, since reading a million of them takes a minute."""
    with ExitStack() as display:
        console = Console(stderr=True)
        status = display.enter_context(console.status("Reading the accounts"))

        def show(progress: Progress) -> None:
            status.update(f"Reading the accounts: {progress.percent} %")

        async with administration(kafka, topic_prefix, secrets, show) as accounts:
            display.close()
            yield accounts


def _print_lines(accounts: Iterator[Account]) -> None:
    account = None
    for account in accounts:
        methods = ", ".join(printable(method.name) for method in account.methods) or "no phone"
        typer.echo(
            f"{printable(account.name):<24}  {account.account_id}  {account.created_at:%Y-%m-%d %H:%M} UTC  {methods}"
        )
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


def _policy(product_name: str, words: Path | None, breached: Path | None) -> PasswordPolicy:
    try:
        return load_policy(product_name, words, breached)
    except ValueError as error:
        give_up(str(error))


def _ask_password() -> str:
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _as_dict(account: Account) -> dict[str, object]:
    return {
        "account_id": account.account_id,
        "name": account.name,
        "display_name": account.display_name,
        "email": account.email,
        "password_key": account.password_hash.partition("$")[0],
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
