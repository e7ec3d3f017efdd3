"""Leaves out what libraries say again and again: without a broker, aiokafka complains hundreds of times a second."""

import logging
import time
from collections.abc import Callable
from typing import Final

QUIET_SECONDS: Final = 5.0
MOST_KNOWN: Final = 500
"""So many different messages are told apart at most."""


class Repeats(logging.Filter):
    """Lets each message of each logger pass once in a while, and says how many like it were left out in between.

    Messages are alike that differ in their arguments only.
    """

    def __init__(self, loggers: tuple[str, ...], clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none.

        Args:
            loggers: The names of the loggers whose repeats are left out, with those below them.
            clock: Gives seconds.

        """
        super().__init__()
        self._loggers = loggers
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is to be logged."""
        if record.name.split(".", 1)[0] not in self._loggers:
            return True
        alike = (record.name, str(record.msg))
        now = self._clock()
        last, left_out = self._known.get(alike, (now - QUIET_SECONDS, 0))
        if now - last < QUIET_SECONDS:
            self._known[alike] = (last, left_out + 1)
            return False
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[alike] = (now, 0)
        if left_out:
            record.msg = f"{record.getMessage()} (and {left_out} like this before it)"
            record.args = ()
        return True
