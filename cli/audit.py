"""``countersign audit``: verify that every recorded decision follows from earlier records."""

import asyncio
import json
from typing import Annotated, Any, Final

import typer

from authenticator.device.terminal import printable
from cli.common import (
    DEFAULT_DIRECTORY,
    DEFAULT_KAFKA,
    AsJson,
    Directory,
    Kafka,
    Prefix,
    Since,
    Until,
    cannot_run,
    progress,
    read_time_range,
)
from cli.evidence import BadInputError, read_key_sets
from operations.audit.audit import audit_deployment
from operations.audit.policies import Policies, load_policies
from operations.audit.reading import ReadingError
from operations.audit.report import Finding, Report
from operations.audit.time_range import TimeRange
from services.common.kafka.connection import KafkaConnection
from services.common.keys.key_files import KeyFileError

app = typer.Typer(help="Verify that every recorded decision follows from earlier records.", no_args_is_help=True)
_MAX_PRINTED: Final = 20
"""Maximum number of printed findings; --json prints more."""


@app.callback()
def audit_command() -> None:
    """Verify that every recorded decision follows from earlier records."""


@app.command()
def verify(  # noqa: PLR0913 - the options of a command
    *,
    since: Since = "",
    until: Until = "",
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    directory: Directory = DEFAULT_DIRECTORY,
    jwks: Annotated[
        list[str] | None,
        typer.Option(help="A JWK set (file or URL) with retired keys; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replay the events in the topics, verify every signature and seal, and report the records that do not follow.

    Each row of the services' tables must follow from the previous row and an event; each published message must follow
    from a decision; each event must be decided or dead-lettered. The audit changes nothing, and the services may keep
    running. It counts unchecked records by reason: Kafka deletes old records, and keeps only the newest version of each
    row and those of about the last day.

    The audit uses this version's rules, the services' settings from the environment (LOGIN_…, PAIRING_…) and the keys
    in their secrets directory. Rows that were decided under other settings, or by another version, do not follow; run
    the audit with those settings for the time range in which they applied. A signature must be by a key that the
    services still have or that --jwks contains. Commands from the web sides are not checked, except the phones'
    signatures in them.

    Exit code 0: all checked records follow. 1: at least one does not; the earliest is printed first. 2: the audit could
    not run, or there was nothing to check.
    """
    time_range = read_time_range(since, until)
    try:
        retired = read_key_sets(jwks or ())
        report = _audit(kafka, topic_prefix, load_policies(directory, retired), time_range)
    except (BadInputError, KeyFileError, ReadingError) as error:
        cannot_run(str(error))
    typer.echo(json.dumps(_as_dict(report)) if as_json else _in_words(report))
    if report.found:
        raise typer.Exit(1)
    if not report.follows:
        cannot_run("there was nothing to check; are --topic-prefix and the time range right?")


def _audit(kafka: KafkaConnection, prefix: str, policies: Policies, time_range: TimeRange) -> Report:
    with progress() as on_progress:
        return asyncio.run(audit_deployment(kafka, prefix, policies, time_range, on_progress))


def _in_words(report: Report) -> str:
    lines = []
    if report.found:
        lines.append(f"{report.found} record{'s do' if report.found > 1 else ' does'} not follow:")
        lines += [_line(each) for each in report.findings[:_MAX_PRINTED]]
        if report.found > _MAX_PRINTED:
            lines.append(f"… and {report.found - _MAX_PRINTED} more")
        lines.append("")
    lines += ["Checked:", *_counts(report.checked)]
    lines += ["Not checked:", *_counts(report.unchecked)] if report.unchecked else []
    lines += ["Commands, which need no decision:", *_counts(report.asked)] if report.asked else []
    if not report.found and report.follows:
        lines.append("All checked records follow.")
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    text = (
        f"  {finding.place}  {finding.at:%Y-%m-%d %H:%M:%S} UTC  {finding.type}  key {finding.key}\n    {finding.why}"
    )
    return "\n".join(printable(line) for line in text.split("\n"))


def _counts(counter: Any) -> list[str]:
    return [f"  {count:>9}  {kind}" for kind, count in counter.most_common()]


def _as_dict(report: Report) -> dict[str, Any]:
    return {
        "follows": report.follows,
        "found": report.found,
        "findings": [
            {"place": each.place, "at": each.at.isoformat(), "key": each.key, "type": each.type, "why": each.why}
            for each in report.findings
        ],
        "read": {name: count for name, count in report.read.items() if count},
        "checked": {kind.name.lower(): count for kind, count in report.checked.items()},
        "unchecked": {reason.name.lower(): count for reason, count in report.unchecked.items()},
        "asked": dict(report.asked),
    }
