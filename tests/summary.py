"""What a run of the tests prints at its end: where the time went, and in the very last line what it could not test."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

import pytest

LONGEST_FILES: Final = 8


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the seconds of each folder of tests, and of the files that take longest, with what they set up."""
    folders: Counter[str] = Counter()
    files: Counter[str] = Counter()
    tests: defaultdict[str, set[str]] = defaultdict(set)
    for report in _reports(terminalreporter):
        path = report.nodeid.partition("::")[0]
        folder = "/".join(path.split("/")[:2])
        folders[folder] += round(report.duration * 1000)
        files[path] += round(report.duration * 1000)
        tests[folder].add(report.nodeid)
    if len(files) < 2:
        return
    terminalreporter.section("where the time went")
    for folder, milliseconds in folders.most_common():
        terminalreporter.write_line(f"{milliseconds / 1000:7.1f} s  {folder} ({len(tests[folder])} tests)")
    terminalreporter.write_line("of these:")
    for path, milliseconds in files.most_common(LONGEST_FILES):
        terminalreporter.write_line(f"{milliseconds / 1000:7.1f} s  {path}")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Print what was skipped, and why, after everything else."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not isinstance(reporter, pytest.TerminalReporter):
        return
    reasons = Counter(_reason(report) for report in reporter.stats.get("skipped", ()))
    if reasons:
        parts = [f"{count} because {reason}" for reason, count in reasons.most_common()]
        reporter.write_line(f"Skipped: {'; '.join(parts)}.")


def _reports(reporter: pytest.TerminalReporter) -> Iterator[pytest.TestReport]:
    for reports in reporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                yield report


def _reason(report: pytest.TestReport) -> str:
    """Return the reason of a skipped test, as ``no Docker engine answers``."""
    assert isinstance(report.longrepr, tuple)
    return report.longrepr[2].removeprefix("Skipped: ")
