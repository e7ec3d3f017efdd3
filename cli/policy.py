"""``countersign policy``: rehearse other settings on the recorded history."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from pydantic import BaseModel, ValidationError

from authenticator.device.terminal import printable
from cli.common import DEFAULT_KAFKA, AsJson, Kafka, Prefix, Since, Until, cannot_run, progress, read_time_range
from operations.audit.reading import ReadingError
from operations.audit.time_range import TimeRange
from operations.rehearsal.rehearsal import Change, Rehearsal, rehearse
from services.common.kafka.connection import KafkaConnection
from services.common.settings import load_settings
from services.login.domain.limits import Limits
from services.login.settings import LoginSettings

app = typer.Typer(help="Rehearse other settings on the recorded history.", no_args_is_help=True)
_PREFIX: Final = "LOGIN_"
_INDIFFERENT: Final = frozenset({"addresses", "number_matching"})
"""Limits without effect here: addresses have no account, and each recorded challenge says whether it has a number."""
_MAX_PRINTED: Final = 50
"""Maximum number of printed logins of each kind; --json prints more."""


@app.callback()
def policy() -> None:
    """Rehearse other settings on the recorded history."""


@app.command("rehearse")
def rehearse_policy(  # noqa: PLR0913 - the options of a command
    *,
    settings: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A changed setting, for example LOGIN_CHALLENGES_MOST=2; may be repeated.",
        ),
    ],
    since: Since = "",
    until: Until = "",
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    as_json: AsJson = False,
) -> None:
    """Report the logins that other settings would have stopped, and those that would newly have passed.

    The rehearsal replays the accounts' history with the services' own rules: under the present settings from the
    environment, and under the changed ones. It changes nothing, and needs no keys.

    Limitations: People behave as recorded, regardless of what the pages would have shown. An answer to a challenge that
    would not have been sent is ignored, and a challenge that was never sent has no answer. A request that the web side
    itself rejected, for example a password during a pause, left no command and is not replayed. Kafka keeps commands
    for a day. An account whose initial row was compacted starts with zero failures; the output counts these accounts.
    """
    present = load_settings(LoginSettings, "countersign", []).limits
    changed = _changed(present, settings)
    time_range = read_time_range(since, until)
    if changed == present:
        cannot_run("these settings are already in force: there is nothing to compare")
    rehearsal = _rehearse(kafka, topic_prefix, present, changed, time_range)
    typer.echo(json.dumps(asdict(rehearsal), default=str) if as_json else _in_words(rehearsal))


def _rehearse(
    kafka: KafkaConnection, prefix: str, present: Limits, changed: Limits, time_range: TimeRange
) -> Rehearsal:
    try:
        with progress() as on_progress:
            return asyncio.run(
                rehearse(
                    kafka, prefix, present=present, changed=changed, time_range=time_range, on_progress=on_progress
                )
            )
    except ReadingError as error:
        cannot_run(str(error))


def _changed(present: Limits, settings: list[str]) -> Limits:
    """Return the limits with some settings changed."""
    names = _names()
    values = present.model_dump()
    for each in settings:
        given, equals, value = each.partition("=")
        name = f"{_PREFIX}{given.upper().removeprefix(_PREFIX)}"
        if not equals or not value:
            cannot_run(f"{each!r} is not NAME=VALUE, for example LOGIN_CHALLENGES_MOST=2")
        if name not in names:
            known = name in _all_names(LoginSettings)
            fault = "has no effect on decisions here" if known else "is not a setting of the login service"
            cannot_run(f"{given} {fault}; those with an effect are {', '.join(names)}")
        *groups, last = names[name]
        target = values
        for group in groups:
            target = target[group]
        target[last] = value
    try:
        return Limits.model_validate(values)
    except ValidationError as error:
        cannot_run("; ".join(_invalid(each) for each in error.errors()))


def _names() -> dict[str, tuple[str, ...]]:
    """Return the settings with an effect, by name, each with its path in the limits."""
    return {name: path for name, path in _all_names(Limits).items() if path[0] not in _INDIFFERENT}


def _all_names(model: type[BaseModel]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found.update({f"{_PREFIX}{name}_{each}".upper(): (name, each) for each in inner.model_fields})
        else:
            found[f"{_PREFIX}{name}".upper()] = (name,)
    return found


def _invalid(error: Any) -> str:
    name = "_".join(str(part) for part in error["loc"])
    return f"{_PREFIX}{name.upper()} is invalid: {error['msg']}"


def _in_words(rehearsal: Rehearsal) -> str:
    stopped, passed = rehearsal.stops, rehearsal.passes
    lines = _section("Would have been stopped", rehearsal.stopped, stopped)
    lines += _section("Would newly have passed, or got further", rehearsal.passed, passed)
    lines.append(
        f"{rehearsal.logins} logins of {rehearsal.accounts} accounts: {stopped} would have been stopped, "
        f"{passed} would newly have passed or got further."
    )
    if rehearsal.approximate:
        lines.append(f"{rehearsal.approximate} accounts started with zero failures: their earlier rows were compacted.")
    if rehearsal.agreeing < rehearsal.decisions:
        lines.append(
            f"Under the present settings {rehearsal.agreeing} of {rehearsal.decisions} decisions have the recorded "
            "outcome; for the others, settings or counters were different at the time."
        )
    return "\n".join(lines)


def _section(title: str, changes: list[Change], count: int) -> list[str]:
    if not changes:
        return []
    lines = [f"{title}:", *(printable(_line(each)) for each in changes[:_MAX_PRINTED])]
    return [*lines, *([f"… and {count - _MAX_PRINTED} more"] if count > _MAX_PRINTED else []), ""]


def _line(change: Change) -> str:
    at = f"{change.began_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"  {change.account_id}  {at}  {change.present}; then {change.changed}: {change.why}"
