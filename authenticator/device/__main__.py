"""The terminal device: `countersign-authenticator`, or `python -m authenticator.device`."""

import asyncio
import logging
import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from authenticator.device.commands import Commands
from authenticator.device.directory import DeviceDirectory, service_address
from authenticator.device.errors import DeviceError, NumberError
from authenticator.device.messages import IssuedPhrase
from authenticator.device.phone import VirtualPhone
from authenticator.device.prompt import AnswerPrompt, NoInputError
from authenticator.device.queries import JsonOption, accounts, codes, history, status
from authenticator.device.request_loop import Decide, always, answer_requests
from authenticator.device.state import DEFAULT_URL
from authenticator.device.store import DirectoryStore
from authenticator.device.terminal import Screen, advice, local_time, printable
from protocol.challenges import HIGHEST_NUMBER, LOWEST_NUMBER
from protocol.names import read_name
from schemas.base import NAME_CHARACTERS
from schemas.contract import Verdict

PROGRAM: Final = "countersign-authenticator"
DEFAULT_STATE: Final = Path(typer.get_app_dir(PROGRAM))
INTERRUPTED: Final = 130
HELP: Final = (
    "An authenticator for the terminal. Like a phone, it pairs with accounts and approves sign-ins.\n\n"
    "Get a pairing phrase with `new-account` and enter it at the computer. Then run `wait`: it shows the pairing "
    "request, and later each authentication request, and asks for your answer. `codes` prints verification codes "
    "without a network."
)

app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=HELP)


class AnswerChoice(StrEnum):
    """Values of --answer."""

    ACCEPT = "accept"
    DECLINE = "decline"
    REPORT = "report"

    @property
    def verdict(self) -> Verdict:
        """The verdict for the value."""
        return {"accept": Verdict.APPROVE, "decline": Verdict.DENY, "report": Verdict.REPORT}[self]


@app.callback()
def options(
    context: typer.Context,
    state: Annotated[Path, typer.Option(help="This device's keys and accounts; created if missing.")] = DEFAULT_STATE,
    url: Annotated[
        str | None, typer.Option(help=f"The push service's address, which is stored. Initially {DEFAULT_URL}.")
    ] = None,
) -> None:
    """Read the options that all commands share."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        context.obj = DeviceDirectory(state, None if url is None else service_address(url))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--url") from error


@app.command("new-account")
def new_account(
    context: typer.Context,
    name: Annotated[str | None, typer.Option(help="This device's name, as the computer shows it; stored.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Print a pairing phrase. Enter it at the computer, under PAIR A DEVICE, then run `wait`."""
    if name is not None and read_name(name) is None:
        text = f"A name has 1 to {NAME_CHARACTERS} printable characters."
        raise typer.BadParameter(text, param_hint="--name")
    directory: DeviceDirectory = context.obj
    store = directory.open(name)
    issued, minutes = asyncio.run(_request_phrase(store))
    text = (
        f"Pairing phrase: {printable(issued.phrase)}\n"
        f"Enter it at the computer within {minutes} minutes (until {local_time(issued.expires_at)}). Then run:\n"
        f"  {PROGRAM} --state {directory.path} wait"
    )
    device = {"device_id": store.key.public.thumbprint, "device_name": store.read().device_name}
    expires_at = issued.expires_at.isoformat()
    Screen(as_json=as_json).emit("phrase", text, phrase=issued.phrase, expires_at=expires_at, **device)


@app.command()
def wait(  # noqa: PLR0913 - the options of one command
    context: typer.Context,
    answer: Annotated[
        AnswerChoice | None, typer.Option(help="Give this answer to each request, without asking.")
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(
            min=LOWEST_NUMBER,
            max=HIGHEST_NUMBER,
            help="With --answer accept: the number that the browser shows, for one request. "
            "The exit code is 2 if a request needs a number and there is none.",
        ),
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="Stop after this many answers.")] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0, help="Stop after this many seconds; exit code 1 if answers are missing."),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show pairing and authentication requests as they arrive, and ask for your answers. Stop with Ctrl-C."""
    directory: DeviceDirectory = context.obj
    screen = Screen(as_json=as_json)
    if number is not None and answer is not AnswerChoice.ACCEPT:
        text = "It needs --answer accept."
        raise typer.BadParameter(text, param_hint="--number")
    decide = None if answer is None else always(answer.verdict, number)
    try:
        answered = asyncio.run(_wait(directory.open(), screen, decide, count, timeout))
    except NumberError as error:
        typer.echo(f"{error} Nothing was answered. Add --number, or leave out --answer.", err=True)
        raise typer.Exit(2) from None
    except NoInputError:
        typer.echo("\nThere is no input to read an answer from. Add --answer accept, decline or report.", err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if answered < (count or 1):
        raise typer.Exit(1)


for query in (accounts, codes, history, status):
    app.command()(query)


async def _request_phrase(store: DirectoryStore) -> tuple[IssuedPhrase, int]:
    async with VirtualPhone(store) as phone:
        await phone.connected(retry=False)
        issued = await phone.new_phrase()
        return issued, round(phone.clock.seconds_until(issued.expires_at) / 60)


async def _wait(
    store: DirectoryStore, screen: Screen, decide: Decide | None, count: int | None, timeout_seconds: float | None
) -> int:
    def report(error: DeviceError, pause_seconds: float) -> None:
        typer.echo(f"Not connected: {str(error).rstrip('.')}. Trying again in {pause_seconds:.0f} s.", err=True)

    with ExitStack() as stack:
        decide = decide or stack.enter_context(AnswerPrompt(screen)).ask
        async with VirtualPhone(store, on_connection_error=report, on_removed=screen.removed) as phone:
            await phone.connected(retry=False)
            name = store.read().device_name
            text = f"Waiting for requests as {printable(name)}. Stop with Ctrl-C."
            screen.emit("waiting", text, device_id=phone.device_id, device_name=name)
            return await answer_requests(phone, screen, decide, count=count, timeout_seconds=timeout_seconds)


def main() -> None:
    """Run the command; print an error with what to do about it."""
    try:
        app(prog_name=PROGRAM)
    except DeviceError as error:
        typer.echo(f"{error}\n{advice(error)}".strip(), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
