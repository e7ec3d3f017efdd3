"""The terminal device's read-only commands: accounts, codes, history, status."""

import asyncio
from typing import Annotated

import typer

from authenticator.device.clock import ServiceClock
from authenticator.device.code_derivation import VerificationCode, code_of
from authenticator.device.directory import DeviceDirectory
from authenticator.device.errors import DeviceError, NoCodesError
from authenticator.device.messages import Discovery
from authenticator.device.phone import VirtualPhone
from authenticator.device.state import Account, Entry
from authenticator.device.store import DirectoryStore
from authenticator.device.terminal import Screen, advice, local_time, printable

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
NO_ACCOUNTS = "No accounts yet. Get a pairing phrase with `new-account`."


def accounts(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the accounts whose sign-ins this device approves."""
    directory: DeviceDirectory = context.obj
    rows = [_account_row(account) for account in directory.open().read().accounts]
    Screen(as_json=as_json).table("account", rows, NO_ACCOUNTS)


def codes(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Print each account's verification code, and for how many seconds it is valid. This needs no network.

    Enter a code at the computer, under "Use a verification code instead". The exit code is 1 if there is no code.
    """
    directory: DeviceDirectory = context.obj
    store = directory.open()
    state = store.read()
    now = ServiceClock(offset_seconds=state.clock_offset_seconds).now()
    rows: list[dict[str, str | int]] = []
    for account in state.accounts:
        try:
            rows.append(_code_row(account, code_of(account, store.agreement, now)))
        except NoCodesError as error:
            typer.echo(printable(str(error)), err=True)
    if rows or not state.accounts:
        Screen(as_json=as_json).table("code", rows, NO_ACCOUNTS)
    if not rows:
        raise typer.Exit(1)


def history(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the requests that ended and the accounts that were removed, the newest last."""
    directory: DeviceDirectory = context.obj
    rows = [_history_row(entry) for entry in directory.open().read().history]
    Screen(as_json=as_json).table("ended", rows, "No requests yet.")


def status(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """Show this device's id and name, and test the connection. The exit code is 1 if it fails."""
    directory: DeviceDirectory = context.obj
    store = directory.open()
    state = store.read()
    try:
        found = asyncio.run(_try_connection(store))
        connection = f"connected ({printable(found.product_name)})"
    except DeviceError as error:
        found, connection = None, f"{error} {advice(error)}".strip()
    text = (
        f"Device:       {printable(state.device_name)}\nDevice id:    {store.key.public.thumbprint}\n"
        f"State:        {directory.path}\nAccounts:     {len(state.accounts)}\n"
        f"Push service: {state.url}\nConnection:   {connection}"
    )
    Screen(as_json=as_json).emit(
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
        return await phone.connected(retry=False)


def _account_row(account: Account) -> dict[str, str]:
    """Return the columns of an account."""
    return {
        "service": account.service,
        "account": account.account_name,
        "account_id": account.account_id,
        "issuer": account.issuer,
        "paired": local_time(account.paired_at),
    }


def _code_row(account: Account, code: VerificationCode) -> dict[str, str | int]:
    """Return the columns of a verification code."""
    return {
        "service": account.service,
        "account": account.account_name,
        "code": code.code,
        "seconds_left": code.seconds_left,
    }


def _history_row(entry: Entry) -> dict[str, str]:
    """Return the columns of an ended request, or of a removed account."""
    return {
        "when": local_time(entry.at),
        "request": entry.purpose,
        "outcome": entry.outcome,
        "service": entry.service,
        "account": entry.account_name,
        "browser": "" if entry.browser is None else entry.browser.name,
        "address": "" if entry.browser is None else entry.browser.address,
    }
