"""Writes what was measured into docs/performance.md: plots that GitHub draws (Mermaid), and a table."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from lab.bench.passes import CLIENT
from lab.bench.report import PROCESSES, ratio
from lab.bench.results import Measured, Results
from lab.bench.trees import ROOT

DOCUMENT: Final = ROOT / "docs" / "performance.md"
BEGIN: Final = "<!-- what `make bench` measured -->"
END: Final = "<!-- end -->"


class DocumentError(Exception):
    """The document has no place for what was measured. The text names the document."""


def write(found: Results, document: Path = DOCUMENT) -> None:
    """Put plots and tables between the document's marks.

    Raises:
        DocumentError: If it has no marks.

    """
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        text = f"{document} has no {BEGIN} … {END}."
        raise DocumentError(text)
    document.write_text("\n".join([f"{before}{BEGIN}", *_lines(found), f"{END}{after}"]))


def _lines(found: Results) -> Iterator[str]:
    yield ""
    yield str(found.machine)
    for hashed in (False, True):
        some = [each for each in found.logins if each.hashed is hashed]
        if some:
            yield from _logins(some, "with the hash" if hashed else "without the hash")
    others = [each for each in (found.pairings, found.codes) if each is not None]
    if others:
        yield from ("", "### Pairings, logins by code", "")
        yield from _table(others)
    if found.kafka:
        yield from _kafka(found)
    if found.phones is not None:
        yield from _phones(found)
    if found.accounts:
        yield from _accounts(found)
    if found.starts is not None:
        yield from _starts(found)
    yield ""


def _logins(some: Sequence[Measured], how: str) -> Iterator[str]:
    at = [str(each.what.at_once) for each in some]
    yield from ("", f"### Logins by push, {how}", "")
    rates = [each.what.per_second for each in some]
    floors = [each.floor.per_second for each in some]
    yield from _chart(f"logins a second (bars), floor (line), {how}", at, [("bar", rates), ("line", floors)])
    lines = [("line", [getattr(each.what.latencies, name) for each in some]) for name in ("p50", "p95", "p99")]
    yield from _chart(f"p50, p95, p99 in ms, {how}", at, lines)
    cpu = [each.what.server_cpu_ms for each in some]
    yield from _chart(
        f"CPU ms a login (bars), floor (line), {how}", at, [("bar", cpu), ("line", [e.floor.cpu_ms for e in some])]
    )
    yield from _table(some)


def _chart(title: str, at: Sequence[str], series: Sequence[tuple[str, Sequence[float]]]) -> Iterator[str]:
    yield from ("```mermaid", "xychart-beta", f'    title "{title}"')
    categories = ", ".join(f'"{each}"' for each in at)
    yield f'    x-axis "at a time" [{categories}]'
    most = max(value for _, values in series for value in values)
    yield f"    y-axis 0 --> {1.1 * most:.4g}"
    for kind, values in series:
        yield f"    {kind} [{', '.join(f'{value:.4g}' for value in values)}]"
    yield from ("```", "")


def _table(some: Sequence[Measured]) -> Iterator[str]:
    names = (*PROCESSES, CLIENT)
    yield f"| | at a time | a second (x) | p50 ms (x) | p95 | p99 | CPU ms (x) | {' | '.join(names)} |"
    yield "|---|" + "---:|" * (6 + len(names))
    for each in some:
        what, floor = each.what, each.floor
        cells = [
            what.title.partition(",")[0],
            str(what.at_once),
            f"{what.per_second:.1f} ({ratio(what.per_second, floor.per_second)})",
            f"{what.latencies.p50:.0f} ({ratio(what.latencies.p50, floor.p50_ms)})",
            f"{what.latencies.p95:.0f}",
            f"{what.latencies.p99:.0f}",
            f"{what.server_cpu_ms:.1f} ({ratio(what.server_cpu_ms, floor.cpu_ms)})",
            *(f"{what.cpu_ms.get(name, 0):.1f}" for name in names),
        ]
        yield f"| {' | '.join(cells)} |"


def _kafka(found: Results) -> Iterator[str]:
    for cost in found.kafka:
        requests = ", ".join(f"{cost.requests.get(kind, 0):.1f} {kind}" for kind in ("Produce", "FetchConsumer"))
        yield from ("", f"### A login at Kafka, {cost.at_once} at a time: {requests} requests", "")
        yield from ("| topic | records | bytes in | bytes out | batches in |", "|---|---:|---:|---:|---:|")
        for each in cost.topics:
            figures = f"{each.records:.2f} | {each.bytes_in:.0f} | {each.bytes_out:.0f} | {each.appends:.2f}"
            yield f"| `{each.topic}` | {figures} |"


def _phones(found: Results) -> Iterator[str]:
    phones = found.phones
    if phones is None:
        return
    latencies = phones.asked.latencies
    yield from ("", f"### {phones.phones} phones on one push instance", "")
    yield from ("| | | floor |", "|---|---:|---:|")
    yield f"| memory each (KiB) | {phones.kibibytes_each:.1f} | {phones.bare_kibibytes_each:.1f} |"
    yield f"| idle CPU (% of a core) | {phones.idle_cpu_percent:.1f} | {phones.without_cpu_percent:.1f} |"
    shown = " / ".join(f"{value:.0f}" for value in (latencies.p50, latencies.p95, latencies.p99))
    yield f"| password to phone, p50 / p95 / p99 (ms) | {shown} | |"
    yield f"| phones asked a second, {phones.asked.at_once} at a time | {phones.asked.per_second:.1f} | |"


def _accounts(found: Results) -> Iterator[str]:
    yield from ("", "### Logins beside many accounts", "")
    yield "| accounts | `make run` ready (s) | logins a second (x) | p50 ms (x) | login's memory (MiB) |"
    yield "|---:|---:|---:|---:|---:|"
    for each in found.accounts:
        what, floor = each.logins.what, each.logins.floor
        rate = f"{what.per_second:.1f} ({ratio(what.per_second, floor.per_second)})"
        p50 = f"{what.latencies.p50:.0f} ({ratio(what.latencies.p50, floor.p50_ms)})"
        memory = f"{each.resident_mebibytes['login']:.0f}"
        yield f"| {each.accounts} | {each.ready_seconds:.1f} | {rate} | {p50} | {memory} |"


def _starts(found: Results) -> Iterator[str]:
    starts = found.starts
    if starts is None:
        return
    yield from ("", "### `make run`, and a stack that is idle", "")
    yield (
        f"Ready after {starts.first_seconds:.1f} s at first, {starts.again_seconds:.1f} s later; Kafka and the topics "
        f"alone after {starts.kafka_seconds:.1f} s."
    )
    yield from (
        "",
        "| process | idle CPU (% of a core) | memory idle (MiB) | memory after the logins (MiB) |",
        "|---|---:|---:|---:|",
    )
    for name, percent in starts.idle_cpu_percent.items():
        loaded = found.loaded_mebibytes.get(name)
        after = "" if loaded is None else f"{loaded:.0f}"
        yield f"| {name} | {percent:.1f} | {starts.resident_mebibytes[name]:.0f} | {after} |"
