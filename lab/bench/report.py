"""What was measured, as tables; each figure stands beside its floor."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from rich.table import Table

from lab.bench.floors import Floors
from lab.bench.passes import CLIENT, Pass
from lab.bench.results import Comparison, IdlePhones, KafkaCost, ManyAccounts, Measured, Results, Starts

PROCESSES = ("login", "pairing", "push", "kafka")


def tables(found: Results) -> Iterator[Table]:
    """Give the tables of a run."""
    if found.starts is not None:
        yield starts_table(found.starts)
    if found.floors is not None:
        yield floors_table(found.floors)
    named = [("Logins by push", found.logins)]
    named += [("Pairings, logins by code", [each for each in (found.pairings, found.codes) if each is not None])]
    for title, measured in named:
        if measured:
            yield measured_table(title, measured)
    for cost in found.kafka:
        yield kafka_table(cost)
    if found.phones is not None:
        yield phones_table(found.phones)
    if found.accounts:
        yield accounts_table(found.accounts)


def measured_table(title: str, measured: Sequence[Measured]) -> Table:
    """Return passes beside their floors; ``x`` is a figure over its floor."""
    table = Table(
        "",
        "at a time",
        "a second",
        "x",
        "p50 (ms)",
        "x",
        "p95",
        "p99",
        "CPU (ms)",
        "x",
        *PROCESSES,
        CLIENT,
        title=title,
    )
    for each in measured:
        what, floor = each.what, each.floor
        table.add_row(
            what.title.partition(",")[0],
            str(what.at_once),
            f"{what.per_second:.1f}",
            ratio(what.per_second, floor.per_second),
            f"{what.latencies.p50:.0f}",
            ratio(what.latencies.p50, floor.p50_ms),
            f"{what.latencies.p95:.0f}",
            f"{what.latencies.p99:.0f}",
            f"{what.server_cpu_ms:.1f}",
            ratio(what.server_cpu_ms, floor.cpu_ms),
            *(f"{what.cpu_ms.get(name, 0):.1f}" for name in (*PROCESSES, CLIENT)),
        )
    return table


def floors_table(floors: Floors) -> Table:
    """Return what the parts of a login take alone."""
    table = Table("", "at a time", "a second", "p50 (ms)", "CPU (ms)", title="Floors")
    for name, passes in (("record in Kafka", floors.trips), ("HTTP request", floors.requests)):
        for at_once, each in passes.items():
            spent = sum(each.cpu_ms.values()) if passes is floors.trips else each.server_cpu_ms
            figures = f"{each.per_second:.0f}", f"{each.latencies.p50:.2f}", f"{spent:.2f}"
            table.add_row(name, str(at_once), *figures)
    parts = floors.cryptography
    for name, spent in (
        ("ES256 signature", parts.sign_ms),
        ("ES256 verification", parts.verify_ms),
        ("Argon2id", parts.hash_ms),
    ):
        table.add_row(name, "", "", "", f"{spent:.3f}")
    return table


def kafka_table(cost: KafkaCost) -> Table:
    """Return what a login costs Kafka."""
    requests = ", ".join(
        f"{count:.1f} {kind}" for kind, count in cost.requests.items() if kind in {"Produce", "FetchConsumer"}
    )
    title = f"A login at Kafka, {cost.at_once} at a time: {requests} requests"
    table = Table("topic", "records", "bytes in", "bytes out", "batches in", "partitions asked", title=title)
    for each in cost.topics:
        table.add_row(
            each.topic,
            f"{each.records:.2f}",
            f"{each.bytes_in:.0f}",
            f"{each.bytes_out:.0f}",
            f"{each.appends:.2f}",
            f"{each.fetches:.1f}",
        )
    table.add_row(
        "all",
        f"{sum(each.records for each in cost.topics):.2f}",
        f"{sum(each.bytes_in for each in cost.topics):.0f}",
        f"{sum(each.bytes_out for each in cost.topics):.0f}",
        f"{sum(each.appends for each in cost.topics):.2f}",
        f"{sum(each.fetches for each in cost.topics):.1f}",
    )
    return table


def starts_table(starts: Starts) -> Table:
    """Return how long `make run` takes, and what an idle stack takes."""
    table = Table("", "first start (s)", "later start (s)", "Kafka alone (s)", "x", title="make run, and idle")
    figures = f"{starts.first_seconds:.1f}", f"{starts.again_seconds:.1f}", f"{starts.kafka_seconds:.1f}"
    table.add_row("ready after", *figures, ratio(starts.again_seconds, starts.kafka_seconds))
    for name in starts.idle_cpu_percent:
        percent, mebibytes = starts.idle_cpu_percent[name], starts.resident_mebibytes[name]
        table.add_row(f"{name}, idle", f"{percent:.1f} % of a core", f"{mebibytes:.0f} MiB", "", "")
    return table


def phones_table(phones: IdlePhones) -> Table:
    """Return what phones that wait cost, and how soon each gets its challenge."""
    table = Table("", "", "floor", "x", title=f"{phones.phones} phones on one push instance")
    each, bare = phones.kibibytes_each, phones.bare_kibibytes_each
    table.add_row("memory each (KiB)", f"{each:.1f}", f"{bare:.1f}", ratio(each, bare))
    waiting, without = phones.idle_cpu_percent, phones.without_cpu_percent
    table.add_row("idle CPU (% of a core)", f"{waiting:.1f}", f"{without:.1f}", ratio(waiting, without))
    asked = phones.asked
    shown = " / ".join(f"{value:.0f}" for value in (asked.latencies.p50, asked.latencies.p95, asked.latencies.p99))
    table.add_row(f"password to phone, {asked.at_once} at a time, p50 / p95 / p99 (ms)", shown, "", "")
    table.add_row("phones asked a second", f"{asked.per_second:.1f}", "", "")
    table.add_row("phones that got it", f"{asked.everything} of {phones.phones}", "", "")
    return table


def accounts_table(accounts: Sequence[ManyAccounts]) -> Table:
    """Return logins beside many accounts."""
    columns = ("accounts", "ready after (s)", "logins a second", "x", "p50 (ms)", "x", "login's memory (MiB)")
    table = Table(*columns, title="Logins beside many accounts")
    for each in accounts:
        what, floor = each.logins.what, each.logins.floor
        table.add_row(
            str(each.accounts),
            f"{each.ready_seconds:.1f}",
            f"{what.per_second:.1f}",
            ratio(what.per_second, floor.per_second),
            f"{what.latencies.p50:.0f}",
            ratio(what.latencies.p50, floor.p50_ms),
            f"{each.resident_mebibytes['login']:.0f}",
        )
    return table


def comparison_table(found: Comparison) -> Table:
    """Return the medians of two revisions, and the first one's over the other one's."""
    table = Table("at a time", "", *found.passes, "ratio", title="In turns, without the hash")
    figures = {
        "logins_per_second": ("logins a second", "{:.1f}"),
        "p50_ms": ("p50 (ms)", "{:.0f}"),
        "cpu_ms": ("CPU of a login (ms)", "{:.1f}"),
    }
    everything: list[Pass] = [each for passes in found.passes.values() for each in passes]
    for at_once, _ in groupby(sorted(each.at_once for each in everything)):
        for name, (title, form) in figures.items():
            medians = [_median(passes, at_once, name, form) for passes in found.passes.values()]
            table.add_row(str(at_once), title, *medians, f"{found.ratios[name][str(at_once)]:.2f}")
    sums = [sum(each.values()) for each in found.idle_cpu_percent.values()]
    if sums:
        table.add_row("idle", "CPU (% of a core)", *(f"{each:.1f}" for each in sums), ratio(sums[0], sums[-1]))
    return table


def ratio(figure: float, floor: float) -> str:
    """Return a figure over its floor as a table has it; a dash where there is none."""
    return f"{figure / floor:.2f}" if floor else "-"


def _median(passes: Sequence[Pass], at_once: int, name: str, form: str) -> str:
    return form.format(median(getattr(each.figures, name) for each in passes if each.at_once == at_once))
