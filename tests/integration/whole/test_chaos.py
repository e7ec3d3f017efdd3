"""A short run of what `make chaos` does: several of everything, broken while people sign in."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

CANNOT: Final = 2
LONGEST_SECONDS: Final = 1100
FAULTS: Final = ("roll", "pause-instance", "kill-controller")
CLAIMS: Final = 18


@pytest.mark.timeout(LONGEST_SECONDS + 60)
def test_nothing_is_lost_doubled_or_forged_over_a_few_faults(tmp_path: Path) -> None:
    kept = tmp_path / "chaos"
    load = ["--partitions", "2", "--people", "4", "--pause-seconds", "2", "--poison-seconds", "0.5"]
    words = [*load, "--most-faults", str(len(FAULTS)), "--keep", str(kept)]
    only = [word for fault in FAULTS for word in ("--only", fault)]
    done = subprocess.run(
        [sys.executable, "-m", "deploy.chaos", "--seed", "5", *words, *only],
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if done.returncode == CANNOT:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-4000:]}"
    assert done.stdout.count(": holds") == CLAIMS, done.stdout
    report = (kept / "report.md").read_text()
    assert [fault for fault in FAULTS if f"| {fault} | 1 |" not in report] == []
