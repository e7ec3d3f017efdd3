"""The story of a seed: what happened in the simulated world and what the product logged, line by line."""

import logging
import time
from collections.abc import MutableMapping, Sequence
from typing import Any

import structlog

from lab.simulation.loop import PROCESS
from lab.simulation.world import World

QUIET = logging.CRITICAL


def tell(seed: int, kinds: Sequence[str] = ()) -> list[str]:
    """Simulate a seed, and return its story; the last line is what was wrong, or that nothing was.

    Args:
        seed: The seed.
        kinds: The kinds of faults that happen; empty leaves it to the seed.

    """
    lines: list[str] = []

    def note(line: str) -> None:
        process = PROCESS.get()
        lines.append(f"{time.monotonic():9.3f}  {'' if process is None else process.name:14}  {line}")

    def note_log(_logger: object, method: str, event: MutableMapping[str, Any]) -> str:
        text = event.pop("event")
        note(f"{method}: {text} {' '.join(f'{name}={value!r}' for name, value in event.items())}")
        raise structlog.DropEvent

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO), processors=[note_log])
    try:
        World(seed, kinds, note).run()
    except Exception as error:  # noqa: BLE001 - whatever it was, it is the end of the story
        lines.append(f"{type(error).__name__}: {error}")
    else:
        lines.append("all claims hold")
    finally:
        silence()
    return lines


def silence() -> None:
    """Have the product log nothing."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(QUIET))
