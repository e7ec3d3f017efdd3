"""``countersign policy``: what other settings would have made of what happened."""

import asyncio
import json
from dataclasses import asdict, replace
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError

from authenticator.device.terminal import printable
from cli.common import DEFAULT_DIRECTORY, DEFAULT_KAFKA, Directory, Kafka, Prefix
from cli.history import AsJson, Since, Until, cannot_run, progress, read_span
from operations.audit.policies import load_policies
from operations.audit.reading import ReadingError
from operations.audit.time_range import TimeRange
from operations.rehearsal.rehearsal import Change, Rehearsal, rehearse
from services.common.keys.key_files import KeyFileError
from services.login.domain.limits import Rules
from services.login.rules import LIMITS
from services.login.settings import LoginSettings

app = typer.Typer(help="Try other settings on what happened.", no_args_is_help=True)
_PREFIX: Final = "LOGIN_"
_SHOWN: Final = 50
"""So many logins of each kind are printed; --json prints more."""


@app.callback()
def policy() -> None:
    """Try other settings on what happened."""


@app.command("rehearse")
def rehearse_policy(  # noqa: PLR0913 - the options of a command
    *,
    settings: Annotated[
        list[str],
        typer.Option("--set", metavar="NAME=VALUE", help="A changed setting, as LOGIN_MOST_PROMPTS=2; several times."),
    ],
    since: Since = "",
    until: Until = "",
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    directory: Directory = DEFAULT_DIRECTORY,
    as_json: AsJson = False,
) -> None:
    """Say which logins other settings would have stopped, and which would newly have passed. It changes nothing.

    It decides the accounts' history once more by the services' own rules: under the present settings, those of the
    environment, and under the changed ones.

    Its limits: people behave as they did, whatever they would have been shown. An answer to a request that would not
    have been sent counts for nothing, and nobody answers one that was never sent. What the web side turned away by
    itself, such as a password during a pause, left no command and is not replayed. The history is as long as Kafka
    keeps commands, a day; an account whose row of the beginning was compacted begins with nothing counted against it,
    and how many did is said.
    """
    changes = _read_changes(settings)
    span = read_span(since, until)
    try:
        present = load_policies(directory).login
        changed = load_policies(directory, changes=changes).login
    except ValidationError as error:
        cannot_run("; ".join(_invalid(each) for each in error.errors()))
    except KeyFileError as error:
        cannot_run(str(error))
    if replace(changed, key=present.key) == present:
        cannot_run("these settings are in force already: there is nothing to compare")
    rehearsal = _rehearse(kafka, topic_prefix, present, changed, span)
    typer.echo(json.dumps(asdict(rehearsal), default=str) if as_json else _in_words(rehearsal))


def _rehearse(kafka: str, prefix: str, present: Rules, changed: Rules, span: TimeRange) -> Rehearsal:
    try:
        with progress() as step:
            return asyncio.run(rehearse(kafka, prefix, present=present, changed=changed, span=span, step=step))
    except ReadingError as error:
        cannot_run(str(error))


def _read_changes(settings: list[str]) -> dict[str, str]:
    changes = {}
    for each in settings:
        given, equals, value = each.partition("=")
        name = given.upper().removeprefix(_PREFIX).lower()
        if not equals or not value:
            cannot_run(f"{each!r} is not NAME=VALUE, for example LOGIN_MOST_PROMPTS=2")
        if name not in LIMITS:
            known = name in LoginSettings.model_fields
            fault = "makes no difference to a decision here" if known else "is no setting of the login service"
            cannot_run(f"{given} {fault}; those that can make one are {', '.join(map(_named, LIMITS))}")
        changes[name] = value
    return changes


def _named(name: str) -> str:
    return f"{_PREFIX}{name.upper()}"


def _invalid(error: Any) -> str:
    name = "_".join(str(part) for part in error["loc"])
    return f"{_named(name)} is invalid: {error['msg']}"


def _in_words(rehearsal: Rehearsal) -> str:
    stopped, passed = rehearsal.stops, rehearsal.passes
    lines = _section("Would have been stopped", rehearsal.stopped, stopped)
    lines += _section("Would newly have passed, or got further", rehearsal.passed, passed)
    lines.append(
        f"{rehearsal.logins} logins of {rehearsal.accounts} accounts: {stopped} would have been stopped, "
        f"{passed} would newly have passed or got further."
    )
    if rehearsal.approximate:
        lines.append(f"{rehearsal.approximate} accounts began with nothing counted against them: their rows are gone.")
    if rehearsal.agreeing < rehearsal.decisions:
        lines.append(
            f"Under the present settings {rehearsal.agreeing} of {rehearsal.decisions} decisions end as they ended "
            "then: for the others, settings or counters were different."
        )
    return "\n".join(lines)


def _section(title: str, changes: list[Change], count: int) -> list[str]:
    if not changes:
        return []
    lines = [f"{title}:", *(printable(_line(each)) for each in changes[:_SHOWN])]
    return [*lines, *([f"… and {count - _SHOWN} more"] if count > _SHOWN else []), ""]


def _line(change: Change) -> str:
    at = f"{change.began_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"  {change.account_id}  {at}  {change.present}; then {change.changed}: {change.why}"
