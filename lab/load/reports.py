"""What was measured, as tables: medians, and in brackets the least and the most."""

from collections.abc import Sequence
from statistics import median, quantiles

from rich.table import Table

from lab.load.start_times import Disk, Start
from lab.load.waiting import Costs

_MEBIBYTE = 1024 * 1024


def waiting_report(people: int, without: Costs, with_all: Costs) -> Table:
    """Return the costs without people waiting, and with them."""
    table = Table("", "no person waits", f"{people} wait")
    columns = (without, with_all)
    table.add_row("sign-ins timed", *(str(len(each.sign_ins)) for each in columns))
    table.add_row("sign-in by push, median (ms)", *(_milliseconds(median(each.sign_ins)) for each in columns))
    table.add_row("sign-in by push, 95th percentile (ms)", *(_milliseconds(_p95(each.sign_ins)) for each in columns))
    table.add_row(
        "login's CPU while no person acts (% of a core)",
        *(_spread([100 * n for n in each.cores], 1) for each in columns),
    )
    table.add_row("login's memory (MiB)", *(_spread(_mebibytes(each.resident_bytes)) for each in columns))
    # From the first round alone: what was freed in later ones is taken again.
    grown = with_all.resident_bytes[0] - without.resident_bytes[0]
    table.add_row("login's memory for each who waits (KiB)", "", f"{grown / 1024 / people:.1f}")
    return table


def starts_report(starts: Sequence[Start]) -> Table:
    """Return what the starts took."""
    table = Table("service", "disk", "starts", "ready after (s)", "CPU (s)", "memory (MiB)", "disk (MiB)")
    for service in dict.fromkeys(each.service for each in starts):
        for disk in Disk:
            some = [each for each in starts if (each.service, each.disk) == (service, disk)]
            table.add_row(
                service,
                disk,
                str(len(some)),
                _spread([each.seconds for each in some], 1),
                _spread([each.cpu_seconds for each in some], 1),
                _spread(_mebibytes([each.resident_bytes for each in some])),
                _spread(_mebibytes([each.disk_bytes for each in some])),
            )
    return table


def _p95(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=20, method="inclusive")[-1]


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f}"


def _mebibytes(sizes: Sequence[int]) -> list[float]:
    return [size / _MEBIBYTE for size in sizes]


def _spread(values: Sequence[float], digits: int = 0) -> str:
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
