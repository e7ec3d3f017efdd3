"""The trees that are measured: this one, and a revision's, with what differs between revisions.

A tree runs as processes of its own, by the modules that it has. Of it the benchmark uses `make run`'s module, seeding,
the services' settings, their pages and the device protocol; all else of this package is of the working tree.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
OLDEST: Final = "ea28b19"
"""The oldest revision whose run and seeding can be driven."""
RUNS: Final = ("deploy.local.run", "deploy.run")
SEEDINGS: Final = (("lab.load.seeding", "lab.load.seed_keys"), ("deploy.measure.seeding", "deploy.measure.seeds"))
"""The modules that have `Seeding` and `Seed`, the newest first, here and above."""
POMS: Final = ("deploy/local/kafka/pom.xml", "deploy/kafka/pom.xml")
MANY: Final = "1000000"
LIMITS: Final[Mapping[str, str]] = {
    # A window of a second keeps the rows as small as they are where a person signs in a few times a day.
    "LOGIN_CHALLENGES": '{"most": 1000000, "window_seconds": 1}',
    "LOGIN_MOST_HASHING": MANY,
    "LOGIN_MOST_WAITING": MANY,
    "PUSH_MOST_SOCKETS": MANY,
    # All people and phones here have one address.
    "LOGIN_ADDRESSES_TRIES": MANY,
    "LOGIN_SIGN_INS_TRIES": MANY,
    "PAIRING_NETWORKS_TRIES": MANY,
    "PUSH_MOST_STRANGERS_PER_NETWORK": MANY,
    # The same, as older revisions name and bound it.
    "LOGIN_MOST_PROMPTS": "20",
    "LOGIN_PROMPT_WINDOW_SECONDS": "1",
}
"""Settings that lift what the load would run into. A service ignores the names that its revision does not know."""


class TreeError(Exception):
    """A revision cannot be measured. The text has the reason."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a revision, ready to run.

    Attributes:
        name: How reports name it.
        root: Where they are.
        python: The interpreter that has its requirements.

    """

    name: str
    root: Path
    python: str

    @property
    def run_module(self) -> str:
        """The module behind `make run`."""
        return self._first(*((module, module) for module in RUNS))

    @property
    def seeding_modules(self) -> tuple[str, str]:
        """The module that has `Seeding`, and the one that has `Seed`."""
        seeding = self._first(*((module, module) for module, _ in SEEDINGS))
        return seeding, dict(SEEDINGS)[seeding]

    def _first(self, *candidates: tuple[str, str]) -> str:
        for value, module in candidates:
            if (self.root / f"{module.replace('.', '/')}.py").exists():
                return value
        text = f"{self.name} has none of {', '.join(module for _, module in candidates)}; {OLDEST} is the oldest to do."
        raise TreeError(text)


def working_tree() -> Tree:
    """Return the tree that this program is of."""
    return Tree("working tree", ROOT, sys.executable)


def tree_of(revision: str) -> Tree:
    """Return the tree of a revision. Its files, and what it needs installed, are kept under .run/bench.

    Args:
        revision: A name that Git knows.

    Raises:
        TreeError: If there is no such revision, or what it needs cannot be installed.

    """
    commit = _git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    root = ROOT / ".run" / "bench" / commit
    if not root.exists():
        draft = root.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _run(["tar", "-x", "-C", str(draft)], draft, _git("archive", commit))
        draft.replace(root)
    tree = Tree(commit[: len(OLDEST)], root, _python_for(root))
    _bring_kafka(root)
    return tree


def _python_for(root: Path) -> str:
    """Return this interpreter if the tree has the same requirements, else that of an environment made for the tree."""
    needed = root / "requirements" / "main.txt"
    if _requirements(needed) == _requirements(ROOT / "requirements" / "main.txt"):
        return sys.executable
    environment = root / ".venv"
    python = str(environment / "bin" / "python")
    stamp = environment / "complete"
    if not stamp.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(environment)], root)
        _run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(needed)], root)
        stamp.touch()
    return python


def _requirements(lock: Path) -> list[str]:
    """Return what a lock file asks for, without its comments."""
    return [line.strip() for line in lock.read_text().splitlines() if not line.strip().startswith("#")]


def _bring_kafka(root: Path) -> None:
    """Give the tree this tree's Kafka, or the one of its own pom.xml where that is another."""
    pom = next((root / each for each in POMS if (root / each).exists()), None)
    if pom is None:
        text = f"{root.name} has no {' or '.join(POMS)}."
        raise TreeError(text)
    jars = root / ".run" / "kafka-jars"
    if jars.exists():
        return
    jars.parent.mkdir(exist_ok=True)
    if pom.read_bytes() == (ROOT / POMS[0]).read_bytes():
        jars.symlink_to(ROOT / ".run" / "kafka-jars")
    else:
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        _run(["mvn", "--batch-mode", "--file", str(pom), *goal], root)


def _git(*arguments: str) -> bytes:
    return _run(["git", *arguments], ROOT)


def _run(command: list[str], directory: Path, given: bytes = b"") -> bytes:
    """Run a program, and return what it prints.

    Raises:
        TreeError: If it is missing or fails.

    """
    try:
        return subprocess.run(command, cwd=directory, input=given, capture_output=True, check=True).stdout
    except FileNotFoundError:
        text = f"{command[0]} is needed for another revision."
        raise TreeError(text) from None
    except subprocess.CalledProcessError as error:
        text = f"{' '.join(command[:4])} failed:\n{(error.stdout + error.stderr).decode(errors='replace').strip()}"
        raise TreeError(text) from None
