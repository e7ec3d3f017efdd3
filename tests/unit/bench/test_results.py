"""What was found is printed as tables, written as JSON, and put into the document between its marks."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from lab.bench import plots, report
from lab.bench.results import Comparison, to_json
from tests.unit.bench.builders import MACHINE, a_pass, some_results


def shown(tables: Iterable[Table]) -> str:
    """Return tables as a terminal shows them."""
    console = Console(width=200)
    with console.capture() as captured:
        for table in tables:
            console.print(table)
    return captured.get()


def test_a_figure_is_printed_beside_its_ratio_to_the_floor() -> None:
    found = some_results()
    (row,) = [line for line in shown(report.tables(found)).splitlines() if "Logins without the hash │ 1 " in line]
    cells = [cell.strip() for cell in row.split("│")]
    # 10 logins a second where the floor is 125, 50 ms where it is 8, 20 ms of CPU where it is 40.
    assert cells[2:11] == ["1", "10.0", "0.08", "50", "6.25", "100", "150", "20.0", "0.50"]


def test_the_ratios_of_a_comparison_are_in_its_json_by_figure_and_number_at_a_time() -> None:
    ratios = {"logins_per_second": {"1": 2.0}, "p50_ms": {"1": 0.5}, "cpu_ms": {"1": 0.25}}
    passes = {"working tree": [a_pass(1, per_second=20)], "abc": [a_pass(1, per_second=10)]}
    idle = {"working tree": {"kafka": 4.0, "login": 2.0}, "abc": {"kafka": 12.0}}
    found = Comparison(MACHINE, "abc", passes, idle, ratios)
    assert json.loads(to_json(found))["ratios"] == ratios
    table = shown([report.comparison_table(found)])
    assert "│ 1         │ logins a second     │ 20.0         │ 10.0 │ 2.00  │" in table
    assert "│ idle      │ CPU (% of a core)   │ 6.0          │ 12.0 │ 0.50  │" in table


def test_a_run_is_written_as_json() -> None:
    written = json.loads(to_json(some_results()))
    assert written["machine"]["processor"] == "Processor"
    assert written["logins"][0]["what"]["latencies"]["p50"] == 50.0
    assert written["phones"] is None


def test_plots_stand_between_the_marks_and_replace_what_was_there(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"Before.\n\n{plots.BEGIN}\nold\n{plots.END}\n\nAfter.\n")
    for _ in range(2):
        plots.write(some_results(), document)
    text = document.read_text()
    assert text.startswith(f"Before.\n\n{plots.BEGIN}\n")
    assert text.endswith(f"{plots.END}\n\nAfter.\n")
    assert "old" not in text
    assert text.count("xychart-beta") == 3
    assert "    bar [10, 10]" in text


def test_a_document_without_marks_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text("Nothing.\n")
    with pytest.raises(plots.DocumentError):
        plots.write(some_results(), document)
    assert document.read_text() == "Nothing.\n"
