"""``countersign accounts``: make, list and remove accounts."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer

from services.login.admin import AdminError, administration
from services.login.domain.rows import Account
from services.login.settings import DEFAULT_PRODUCT_NAME

app = typer.Typer(help="Make, list and remove accounts.", no_args_is_help=True)
ResultT = TypeVar("ResultT")

Name = Annotated[str, typer.Argument(help="The sign-in name; upper and lower case are the same.")]
Kafka = Annotated[
    str, typer.Option("--kafka", envvar="LOGIN_KAFKA_BOOTSTRAP", help="Kafka's HOST:PORT.", show_default=True)
]
Prefix = Annotated[
    str, typer.Option("--topic-prefix", envvar="LOGIN_TOPIC_PREFIX", help="What stands before each topic's name.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_KAFKA = "localhost:9092"


@app.command()
def add(  # noqa: PLR0913 - the options of a command
    name: Name,
    *,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input's first line.")
    ] = False,
    display_name: Annotated[str | None, typer.Option(help="The name as its owner reads it; default NAME.")] = None,
    product_name: Annotated[
        str, typer.Option(envvar="LOGIN_PRODUCT_NAME", help="What people sign in to; no password may contain it.")
    ] = DEFAULT_PRODUCT_NAME,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
) -> None:
    """Make an account. Without --password-stdin the password is asked for."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _ask_password()

    async def work() -> Account:
        async with administration(kafka, topic_prefix) as accounts:
            return await accounts.add(name, password, display_name, product_name)

    account = _run(work())
    typer.echo(f"Account {account.account_id} is there. Its owner pairs a phone at the first sign-in.")


@app.command("list")
def list_accounts(*, kafka: Kafka = DEFAULT_KAFKA, topic_prefix: Prefix = "", as_json: AsJson = False) -> None:
    """List the accounts."""

    async def work() -> tuple[Account, ...]:
        async with administration(kafka, topic_prefix) as accounts:
            return accounts.list()

    found = _run(work())
    if as_json:
        typer.echo(json.dumps([_as_dict(account) for account in found], indent=2))
        return
    if not found:
        typer.echo("There are no accounts. Make one with: countersign accounts add NAME")
    for account in found:
        phones = ", ".join(device.name for device in account.devices) or "no phone"
        typer.echo(f"{account.account_id:<24}  {account.created_at:%Y-%m-%d %H:%M} UTC  {phones}")


@app.command()
def remove(name: Name, *, kafka: Kafka = DEFAULT_KAFKA, topic_prefix: Prefix = "") -> None:
    """Remove an account with its phones, sessions and history."""

    async def work() -> None:
        async with administration(kafka, topic_prefix) as accounts:
            await accounts.remove(name)

    _run(work())
    typer.echo(f"Account {name} is removed.")


def _ask_password() -> str:
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _as_dict(account: Account) -> dict[str, object]:
    return {
        "account_id": account.account_id,
        "display_name": account.display_name,
        "created_at": account.created_at.isoformat(),
        "phones": [{"name": device.name, "device_id": device.device_id} for device in account.devices],
    }


def _run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    try:
        return asyncio.run(work)
    except AdminError as error:
        typer.echo(f"countersign: {error}", err=True)
        raise typer.Exit(1) from None
