"""The terminal device's commands that answer nothing: accounts, codes, history, status."""

import asyncio
from typing import Annotated

import typer

from authenticator.device.clock import ServiceClock
from authenticator.device.code_derivation import code_of
from authenticator.device.errors import DeviceError, NoCodesError
from authenticator.device.listing import account_row, code_row, entry_row
from authenticator.device.messages import Discovery
from authenticator.device.phone import VirtualPhone
from authenticator.device.place import DeviceDirectory
from authenticator.device.store import DirectoryStore
from authenticator.device.terminal import Screen, advice, printable

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
NO_ACCOUNTS = "No accounts yet. Get a pairing phrase with `new-account`."


def accounts(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the accounts that this device approves sign-ins for."""
    place: DeviceDirectory = context.obj
    rows = [account_row(account) for account in place.open().read().accounts]
    Screen(as_json=as_json).table("account", rows, NO_ACCOUNTS)


def codes(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Print the verification code of each account, and for how many seconds it is good. Needs no network.

    Type it at the computer, under "Use a verification code instead". Exit code 1 if there is no code to print.
    """
    place: DeviceDirectory = context.obj
    store = place.open()
    state = store.read()
    now = ServiceClock(offset_seconds=state.clock_offset_seconds).now()
    rows: list[dict[str, str | int]] = []
    for account in state.accounts:
        try:
            rows.append(code_row(account, code_of(account, store.agreement, now)))
        except NoCodesError as error:
            typer.echo(printable(str(error)), err=True)
    if rows or not state.accounts:
        Screen(as_json=as_json).table("code", rows, NO_ACCOUNTS)
    if not rows:
        raise typer.Exit(1)


def history(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the requests that were answered, or ended otherwise, and the accounts removed; the newest last."""
    place: DeviceDirectory = context.obj
    rows = [entry_row(entry) for entry in place.open().read().history]
    Screen(as_json=as_json).table("ended", rows, "No requests yet.")


def status(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Show this device's id and name, and try the connection. Exit code 1 if there is none."""
    place: DeviceDirectory = context.obj
    store = place.open()
    state = store.read()
    try:
        found = asyncio.run(_try_connection(store))
        connection = f"connected ({printable(found.product_name)})"
    except DeviceError as error:
        found, connection = None, f"{error} {advice(error)}".strip()
    text = (
        f"Device:       {printable(state.device_name)}\nDevice id:    {store.key.public.thumbprint}\n"
        f"State:        {place.directory}\nAccounts:     {len(state.accounts)}\n"
        f"Push service: {state.url}\nConnection:   {connection}"
    )
    Screen(as_json=as_json).say(
        "status",
        text,
        device_id=store.key.public.thumbprint,
        device_name=state.device_name,
        accounts=len(state.accounts),
        url=state.url,
        connected=found is not None,
        detail=connection,
    )
    if found is None:
        raise typer.Exit(1)


async def _try_connection(store: DirectoryStore) -> Discovery:
    async with VirtualPhone(store) as phone:
        return await phone.connected(patient=False)
