"""The simulation: the product keeps its claims in each seed, a seed replays exactly, and planted faults are found."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
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
SHOWN_BY: Final[Mapping[str, tuple[int, tuple[str, ...]]]] = {
    "no_fence": (4, ("forget", "hold")),
    "stamp_at_save": (1, ("expel", "pause")),
    "same_term": (1, ("expel",)),
    "one_id": (116, ("forget", "hold")),
    "acknowledged_only": (1, ("expel",)),
    "own_writes": (26, ("expel", "slow")),
    "mark_not_read_back": (24, ("expel", "lag")),
    "one_mark_key": (1, ("forget", "hold")),
    "no_heal": (4, ("forget", "hold")),
    "highest_offset": (1, ("kill",)),
    "unordered_keys": (1, ("kill",)),
    "publish_first": (1, ("kill",)),
    "no_repeats": (1, ("kill",)),
    "shorter_log_unseen": (2, ("cut",)),
}
"""A seed that has shown each planted fault, and the kinds of faults that happen in it. Any change of the product moves
that, so the seeds behind it are tried as well."""
MOST_TRIED: Final = 500


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
    first, kinds = SHOWN_BY[name]
    PLANTED[name](monkeypatch)
    with pytest.raises(BrokenClaimError):
        _run(range(first, first + MOST_TRIED), kinds)


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
    assert "It plays again with: python -m lab.simulation --first 1 --seeds 1" in ran.stdout
    assert "BrokenClaimError" in (tmp_path / "seed-1.log").read_text().splitlines()[-1]


def _run(seeds: range, kinds: Sequence[str] = ()) -> None:
    for seed in seeds:
        World(seed, kinds).run()


def _digests(hash_seed: str) -> list[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", DIGESTS], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
