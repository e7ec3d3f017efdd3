"""``countersign dlq``: list, show and retry dead letters."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from cli.common import DEFAULT_KAFKA, Kafka, Prefix, give_up
from operations.dead_letters import DeadLetter, DeadLetterError, DeadLetterQueue, dead_letter_queue
from services.common.kafka.connection import KafkaConnection

app = typer.Typer(help="List, show and retry dead letters: records that a service could not use.", no_args_is_help=True)
ResultT = TypeVar("ResultT")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object per record.")]
Place = Annotated[str, typer.Argument(help="TOPIC/PARTITION/OFFSET, as `dlq list` prints it.")]


@app.command("list")
def list_letters(
    *,
    reason: Annotated[str, typer.Option(help="Only those whose reason contains this text.")] = "",
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    as_json: AsJson = False,
) -> None:
    """List the dead letters, oldest first: position, time, service, type and reason."""
    letters = [each for each in _letters(kafka, topic_prefix) if reason in each.reason]
    for letter in letters:
        typer.echo(json.dumps(_as_dict(letter)) if as_json else _line(letter))
    if not as_json:
        typer.echo(f"{len(letters)} dead letters." if letters else "No dead letters.")


@app.command()
def show(place: Place, *, kafka: Kafka = DEFAULT_KAFKA, topic_prefix: Prefix = "", as_json: AsJson = False) -> None:
    """Show a dead letter: reason, origin, headers, key and value."""
    letter = _find(_letters(kafka, topic_prefix), place)
    if as_json:
        typer.echo(json.dumps(_as_dict(letter)))
        return
    typer.echo(f"Rejected   {letter.at} by {letter.service}: {letter.reason}")
    typer.echo(f"Origin     {letter.origin}")
    typer.echo(f"Retried    {letter.retried} times")
    typer.echo(f"Now        {letter.fault or 'it can be decoded'}")
    for name, value in letter.headers:
        typer.echo(f"Header     {name}: {_text(value)}")
    typer.echo(f"Key        {_text(letter.key)}")
    typer.echo(f"Value      {_text(letter.value)}")


@app.command()
def retry(
    places: Annotated[list[str] | None, typer.Argument(help="TOPIC/PARTITION/OFFSET, one or several.")] = None,
    *,
    all_of_them: Annotated[bool, typer.Option("--all", help="All that were not retried yet.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Include those that would become dead letters again.")] = False,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
) -> None:
    """Send dead letters to their original topics again. Retries are idempotent: nothing is decided twice.

    Exit code 1: at least one was not sent; the output says why.
    """
    if bool(places) == all_of_them:
        give_up("name dead letters, or use --all")

    async def work(queue: DeadLetterQueue) -> bool:
        letters = await queue.letters()
        chosen = [_find(letters, each) for each in places or ()] or [each for each in letters if not each.retried]
        skipped = False
        for letter in chosen:
            if letter.fault and not force:
                typer.echo(f"not sent {letter.place}: it would become a dead letter again: {letter.fault}")
                skipped = True
                continue
            await queue.retry(letter)
            typer.echo(f"sent {letter.place} to {letter.origin.topic}")
        return skipped

    if _run(kafka, topic_prefix, work):
        raise typer.Exit(1)


def _letters(kafka: KafkaConnection, prefix: str) -> list[DeadLetter]:
    return _run(kafka, prefix, DeadLetterQueue.letters)


def _run(kafka: KafkaConnection, prefix: str, work: Callable[[DeadLetterQueue], Awaitable[ResultT]]) -> ResultT:
    async def connected() -> ResultT:
        async with dead_letter_queue(kafka, prefix) as queue:
            return await work(queue)

    try:
        return asyncio.run(connected())
    except DeadLetterError as error:
        give_up(str(error))


def _find(letters: list[DeadLetter], place: str) -> DeadLetter:
    found = next((letter for letter in letters if str(letter.place) == place), None)
    if found is None:
        give_up(f"there is no dead letter {place}; `countersign dlq list` lists them")
    return found


def _line(letter: DeadLetter) -> str:
    retried = ", retried" if letter.retried else ""
    return f"{letter.place}  {letter.at}  {letter.service}  {letter.type or 'no type'}  {letter.reason}{retried}"


def _text(value: bytes | None) -> str:
    """Return bytes as printable text, or in hexadecimal digits."""
    if value is None:
        return "none"
    text = value.decode(errors="replace")
    return text if text.isprintable() else f"0x{value.hex()}"


def _as_dict(letter: DeadLetter) -> dict[str, Any]:
    return {
        "place": str(letter.place),
        "origin": str(letter.origin),
        "at": letter.at,
        "service": letter.service,
        "reason": letter.reason,
        "fault": letter.fault,
        "retried": letter.retried,
        "headers": {name: _text(value) for name, value in letter.headers},
        "key": _text(letter.key),
        "value": _text(letter.value),
    }
