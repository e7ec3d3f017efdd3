"""``countersign audit``: whether everything that the topics hold follows from what came before it."""

import asyncio
import json
from typing import Annotated, Any, Final

import typer

from authenticator.device.terminal import printable
from cli.common import DEFAULT_DIRECTORY, DEFAULT_KAFKA, Directory, Kafka, Prefix
from cli.evidence import BadInputError
from cli.history import AsJson, Since, Until, cannot_run, progress, read_span
from cli.key_sets import read_key_sets
from operations.audit.deployment import audit
from operations.audit.policies import Policies, load_policies
from operations.audit.reading import ReadingError
from operations.audit.report import Finding, Report
from operations.audit.time_range import TimeRange
from services.common.keys.key_files import KeyFileError

app = typer.Typer(help="Check that everything that was decided follows.", no_args_is_help=True)
_SHOWN: Final = 20
"""So many findings are printed; --json prints more."""


@app.callback()
def audit_command() -> None:
    """Check that everything that was decided follows."""


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
        typer.Option(help="A JWK set (file or URL) with keys that were retired; may be given several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide again what the topics hold, check every signature and seal, and name what does not follow.

    Each row of the services' tables must follow from the row before it and an event, by the rule of its owner; each
    published message from such a decision, under its id; each event must have been decided or set aside. It changes
    nothing, and the services may run on. What cannot be checked is counted, with the reason: Kafka lets go of old
    records, and keeps of each row the newest one and those of the last hour or so.

    It decides with this version's rules, with the settings that it finds in the environment (LOGIN_…, PAIRING_…, as
    the services do) and with the keys of their secrets directory. Rows that were decided under other settings, or by
    another version, do not follow then: give it those settings, and the span in which they held. Where another key of
    the services was active, what was signed is compared, and the signature must be by a key that they still have or
    that --jwks names. Commands of the web sides are taken as given, but for the phones' signatures in them.

    Exit code 0: all that was checked follows. 1: something does not; the first record is named first. 2: it could not
    run, or there was nothing to check.
    """
    span = read_span(since, until)
    try:
        retired = read_key_sets(jwks or ())
        report = _audit(kafka, topic_prefix, load_policies(directory, retired), span)
    except (BadInputError, KeyFileError, ReadingError) as error:
        cannot_run(str(error))
    typer.echo(json.dumps(_as_dict(report)) if as_json else _in_words(report))
    if report.found:
        raise typer.Exit(1)
    if not report.follows:
        cannot_run("there was nothing to check: is it the right --topic-prefix, and the right span?")


def _audit(kafka: str, prefix: str, rulebook: Policies, span: TimeRange) -> Report:
    with progress() as step:
        return asyncio.run(audit(kafka, prefix, rulebook, span, step))


def _in_words(report: Report) -> str:
    lines = []
    if report.found:
        lines.append(f"{report.found} records do not follow. The first one:" if report.found > 1 else "One does not:")
        lines += [_line(each) for each in report.findings[:_SHOWN]]
        if report.found > _SHOWN:
            lines.append(f"… and {report.found - _SHOWN} more")
        lines.append("")
    lines += ["Checked, and it follows:", *_counts(report.checked)]
    lines += ["Not checked, because", *_counts(report.unchecked)] if report.unchecked else []
    lines += ["Taken as given, because somebody asked:", *_counts(report.asked)] if report.asked else []
    if not report.found and report.follows:
        lines.append("All that was checked follows.")
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    text = (
        f"  {finding.place}  {finding.at:%Y-%m-%d %H:%M:%S} UTC  {finding.type}  key {finding.key}\n    {finding.why}"
    )
    return "\n".join(printable(line) for line in text.split("\n"))


def _counts(counted: Any) -> list[str]:
    return [f"  {count:>9}  {what}" for what, count in counted.most_common()]


def _as_dict(report: Report) -> dict[str, Any]:
    return {
        "follows": report.follows,
        "found": report.found,
        "findings": [
            {"place": each.place, "at": each.at.isoformat(), "key": each.key, "type": each.type, "why": each.why}
            for each in report.findings
        ],
        "read": {name: count for name, count in report.read.items() if count},
        "checked": {what.name.lower(): count for what, count in report.checked.items()},
        "unchecked": {why.name.lower(): count for why, count in report.unchecked.items()},
        "asked": dict(report.asked),
    }
