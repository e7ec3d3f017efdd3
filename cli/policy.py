"""``countersign policy``: what other settings would have made of what happened."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from pydantic import BaseModel, ValidationError

from authenticator.device.terminal import printable
from cli.common import DEFAULT_KAFKA, Kafka, Prefix
from cli.history import AsJson, Since, Until, cannot_run, progress, read_span
from operations.audit.reading import ReadingError
from operations.audit.time_range import TimeRange
from operations.rehearsal.rehearsal import Change, Rehearsal, rehearse
from services.common.settings import load_settings
from services.login.domain.limits import Limits
from services.login.settings import LoginSettings

app = typer.Typer(help="Try other settings on what happened.", no_args_is_help=True)
_PREFIX: Final = "LOGIN_"
_INDIFFERENT: Final = frozenset({"addresses", "number_matching"})
"""Limits that decide nothing here: addresses are no accounts, and each recorded challenge says if it has a number."""
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
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A changed setting, as LOGIN_CHALLENGES_MOST=2; several times."
        ),
    ],
    since: Since = "",
    until: Until = "",
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    as_json: AsJson = False,
) -> None:
    """Say which logins other settings would have stopped, and which would newly have passed. It changes nothing.

    It decides the accounts' history once more by the services' own rules: under the present settings, those of the
    environment, and under the changed ones. It needs no keys.

    Its limits: people behave as they did, whatever they would have been shown. An answer to a request that would not
    have been sent counts for nothing, and nobody answers one that was never sent. What the web side turned away by
    itself, such as a password during a pause, left no command and is not replayed. The history is as long as Kafka
    keeps commands, a day; an account whose row of the beginning was compacted begins with nothing counted against it,
    and how many did is said.
    """
    present = load_settings(LoginSettings, "countersign", []).limits
    changed = _changed(present, settings)
    span = read_span(since, until)
    if changed == present:
        cannot_run("these settings are in force already: there is nothing to compare")
    rehearsal = _rehearse(kafka, topic_prefix, present, changed, span)
    typer.echo(json.dumps(asdict(rehearsal), default=str) if as_json else _in_words(rehearsal))


def _rehearse(kafka: str, prefix: str, present: Limits, changed: Limits, span: TimeRange) -> Rehearsal:
    try:
        with progress() as step:
            return asyncio.run(rehearse(kafka, prefix, present=present, changed=changed, span=span, step=step))
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
            fault = "makes no difference to a decision here" if known else "is no setting of the login service"
            cannot_run(f"{given} {fault}; those that can make one are {', '.join(names)}")
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
    """Return the settings that can make a difference, by name, each with its path among the limits."""
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
