"""Break the rules in many small ways, and see whether the tests of the rules notice: `make mutants`."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.progress import Progress

from tests.mutants.deciding import KILLERS
from tests.mutants.places import Place, all_places, draw, find
from tests.mutants.tool import break_dataclasses

RECORD: Final = Path(__file__).with_name("record.json")
TREE: Final = Path("mutants")
"""Where mutmut keeps the broken code; it allows no other place."""
_PROGRESS: Final = re.compile(r"(\d+)/\d+ .*🙁 (\d+)")
_LINE_EVERY: Final = 50
"""After how many mutants a line tells how far it is, where no terminal can show it."""
_console: Final = Console(highlight=False, soft_wrap=True)


class Verdict(StrEnum):
    """What became of a mutant. That no test runs it counts as survival; that tests go on for too long, does not."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"
    UNTESTED = "untested"
    UNTRIED = "untried"


_LIVING: Final = {Verdict.SURVIVED, Verdict.UNTESTED}
_VERDICTS: Final[Mapping[int | None, Verdict]] = {
    None: Verdict.UNTRIED,
    0: Verdict.SURVIVED,
    5: Verdict.UNTESTED,
    33: Verdict.UNTESTED,
    # As mutmut reads exit codes: its limit for wall clock and processor time, and the kernel's a second later.
    **dict.fromkeys((24, 36, 152, 255, -signal.SIGXCPU, -signal.SIGKILL), Verdict.TIMEOUT),
}


class Mutant(BaseModel):
    """A place and what became of the mutant there.

    Attributes:
        place: The place.
        verdict: What the tests made of it.
        killer: The first test that failed, if one did.
        why: Why no test can notice it. Written by hand into the record; the mutant is then not tried again.

    """

    place: Place
    verdict: Verdict
    killer: str | None = None
    why: str | None = None

    @property
    def lives(self) -> bool:
        """Whether no test noticed it."""
        return self.verdict in _LIVING


class Record(BaseModel):
    """A sample and its verdicts."""

    seed: int
    survivors: int
    mutants: list[Mutant]


def main(
    write: Annotated[Path | None, typer.Option(help="Write what comes out to this file.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many mutants a new record has.")] = 600,
    seed: Annotated[int, typer.Option(help="Decides which mutants a new record has.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="How many mutants are tried at a time.")] = 2,
    minutes: Annotated[float, typer.Option(min=1, help="Stop after as long.")] = 60,
) -> None:
    """Break the rules in many small ways, and see whether the tests of the rules notice.

    Compares with tests/mutants/record.json; where that is not there, it is made anew. Mutants of which the record says
    why no test can notice them are not tried again. Exits 0 only if every other mutant was tried, no more survive than
    the record has, and none survives that was killed before.
    """
    break_dataclasses()
    names = all_places()
    old = Record.model_validate_json(RECORD.read_text("utf-8")) if RECORD.exists() else None
    before = {mutant.place: mutant for mutant in old.mutants} if old is not None else {}
    was = find(before, names, old.seed) if old is not None else dict.fromkeys(draw(names, count, seed))
    mutants = [
        before[then].model_copy(update={"place": place})
        for place, then in was.items()
        if then is not None and before[then].why is not None
    ]
    tried = was.keys() - {mutant.place for mutant in mutants}
    codes = _try([names[place] for place in was if place in tried], processes, minutes * 60)
    killers = _killers()
    for place in tried:
        verdict = _VERDICTS.get(codes.get(names[place]), Verdict.KILLED)
        mutants.append(Mutant(place=place, verdict=verdict, killer=killers.get(names[place])))
    mutants.sort(key=lambda mutant: tuple(mutant.place.model_dump().values()))
    new = Record(seed=old.seed if old else seed, survivors=sum(mutant.lives for mutant in mutants), mutants=mutants)
    for path in filter(None, (write, RECORD if old is None else None)):
        path.write_text(new.model_dump_json(indent=1, exclude_none=True) + "\n", "utf-8")
    killed = {place for place, then in was.items() if then is not None and before[then].verdict is Verdict.KILLED}
    sys.exit(not _report(new, old, killed, sum(then is None for then in was.values())))


def _try(names: Sequence[str], processes: int, seconds: float) -> dict[str, int | None]:
    """Have mutmut try mutants, and show how far it is.

    Returns:
        The exit code of the tests of each mutant; None where time ran out before.

    """
    shutil.rmtree(TREE, ignore_errors=True)
    command = [sys.executable, "-m", "tests.mutants.tool", "run", "--max-children", str(processes), *names]
    # The same order of sets in each run; a session of its own, so that all its processes end with it.
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
    mutmut = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    end = threading.Timer(seconds, _kill, [mutmut])
    end.start()
    output, last_line = "", 0
    try:
        with Progress(console=_console) as progress:
            task = progress.add_task("tests without mutants", total=len(names))
            while chunk := os.read(mutmut.stdout.fileno(), 1 << 16) if mutmut.stdout else b"":
                output = (output + chunk.decode("utf-8", "replace"))[-4000:]
                if counts := _PROGRESS.findall(output):
                    done, text = int(counts[-1][0]), f"{counts[-1][1]} survive"
                    progress.update(task, completed=done, description=text)
                    if not _console.is_terminal and done >= last_line + _LINE_EVERY:
                        last_line = done
                        _console.print(f"{done} of {len(names)} tried, {text}")
    finally:
        end.cancel()
        _kill(mutmut)
    if mutmut.wait() > 0:
        _console.print(output, markup=False)
        raise typer.Exit(2)
    return {
        name: code
        for path in TREE.rglob("*.meta")
        for name, code in json.loads(path.read_text("utf-8"))["exit_code_by_key"].items()
    }


def _kill(mutmut: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(mutmut.pid, signal.SIGKILL)


def _killers() -> dict[str, str]:
    """Return the first test that failed, by mutant."""
    path = TREE / KILLERS
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {killed["mutant"]: killed["test"] for killed in map(json.loads, reversed(lines))}


def _report(new: Record, old: Record | None, killed: AbstractSet[Place], drawn: int) -> bool:
    """Print what came out, and return whether that is no worse than before.

    Args:
        new: What came out.
        old: What came out before, if anything.
        killed: The places whose mutants were killed before.
        drawn: How many places were drawn instead of old ones that are no more.

    """
    verdicts = Counter(mutant.verdict for mutant in new.mutants)
    _console.print(f"{len(new.mutants)} mutants:", ", ".join(f"{count} {each}" for each, count in verdicts.items()))
    for module, lives in sorted(Counter(each.place.module for each in new.mutants if each.lives).items()):
        _console.print(f"{lives:4} survive in {module}")
    unexplained = [mutant.place for mutant in new.mutants if mutant.lives and mutant.why is None]
    for place in unexplained:
        text = "was killed before" if place in killed else "survives, and the record does not say why"
        _console.print(f"{place.module}:{place.function} {text}", style="red", markup=False)
        _console.print(f"  - {place.original}\n  + {place.mutated}", markup=False)
    if old is None:
        return not verdicts[Verdict.UNTRIED]
    if drawn:
        _console.print(f"{drawn} places are no more; as many others were drawn.")
    _console.print(f"{new.survivors} survive; {old.survivors} did before.")
    revived = [place for place in unexplained if place in killed]
    return not verdicts[Verdict.UNTRIED] and new.survivors <= old.survivors and not revived


if __name__ == "__main__":
    typer.run(main)
