"""The simulation: the product keeps its claims in each seed, a seed replays exactly, and planted faults are found."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import structlog

from lab.simulation.story import silence, tell
from lab.simulation.world import BrokenClaimError, World
from tests.component.simulation.planted import PLANTED

SEEDS: Final = 150
DIGESTS: Final = """
from lab.simulation.story import silence
from lab.simulation.world import World
silence()
for seed in (3, 4, 5):
    world = World(seed)
    world.run()
    print(seed, world.steps, world.digest)
"""
SHOWN_BY: Final = {
    "no_fence": 45,
    "stamp_at_save": 179,
    "same_term": 1,
    "one_id": 652,
    "acknowledged_only": 1,
    "own_writes": 56,
    "mark_not_read_back": 137,
    "one_mark_key": 1,
    "no_heal": 45,
    "highest_offset": 1,
    "unordered_keys": 1,
    "publish_first": 1,
    "no_repeats": 3,
    "shorter_log_unseen": 36,
}
"""A seed that has shown each fault. Any change of the product moves that, so the seeds behind it are tried as well."""
MOST_TRIED: Final = 300


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Have the simulated instances log nothing."""
    usual = structlog.get_config()
    silence()
    yield
    structlog.configure(**usual)


@pytest.mark.parametrize("first", range(1, SEEDS, SEEDS // 3))
def test_all_claims_hold(first: int) -> None:
    _run(range(first, first + SEEDS // 3))


def test_a_seed_replays_exactly_in_another_process() -> None:
    played = [_digests(hash_seed) for hash_seed in ("0", "1")]
    assert played[0] == played[1]
    assert len({line.split()[-1] for line in played[0]}) == len(played[0]) == 3


def test_a_story_tells_what_happens_and_how_it_ends() -> None:
    story = tell(3)
    assert story[-1] == "all claims hold"
    assert any(re.search(r"^ +\d+\.\d{3} +instance [01]\.1 +info: owns a partition .*term=1$", line) for line in story)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    PLANTED[name](monkeypatch)
    with pytest.raises(BrokenClaimError):
        _run(range(SHOWN_BY[name], SHOWN_BY[name] + MOST_TRIED))


def test_the_command_names_the_first_seed_that_breaks_a_claim(tmp_path: Path) -> None:
    plant = "import pytest; from tests.component.simulation.planted import PLANTED\n"
    plant += "PLANTED['highest_offset'](pytest.MonkeyPatch()); from lab.simulation.__main__ import app; app()"
    options = ["--seeds", "3", "--processes", "1", "--folder", str(tmp_path)]
    ran = subprocess.run(
        [sys.executable, "-c", plant, *options],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "It plays again with: make simulate FIRST=1 SEEDS=1" in ran.stdout
    assert "BrokenClaimError" in (tmp_path / "seed-1.log").read_text().splitlines()[-1]


def _run(seeds: range) -> None:
    for seed in seeds:
        World(seed).run()


def _digests(hash_seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", DIGESTS], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
