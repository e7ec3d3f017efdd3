"""Progress in whole per cent, and its throttled log line."""

import pytest
from structlog.testing import capture_logs

from services.common.progress import EVERY_SECONDS, Progress, ProgressLog


def test_a_hundred_per_cent_is_all_and_nothing_less() -> None:
    assert [Progress(done, 1000).percent for done in (0, 9, 10, 999, 1000)] == [0, 0, 1, 99, 100]
    assert (Progress(0, 0).percent, Progress(0, 0).complete) == (100, True)


def test_a_line_is_logged_only_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(float(second) for second in range(100))
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    with capture_logs() as lines:
        progress_log = ProgressLog("tables recover", topic="rows")
        for done in range(12):
            progress_log.update(Progress(done, 12))
    assert len(lines) == 2, f"one line in {EVERY_SECONDS} s"
    assert lines[0] == {
        "event": "tables recover",
        "log_level": "info",
        "topic": "rows",
        "records": lines[0]["records"],
        "of": 12,
        "percent": 100 * lines[0]["records"] // 12,
    }
