"""When a device tries again, and how long it waits before: docs/protocol.md sections 3 and 5. No input or output."""

from collections.abc import Callable
from dataclasses import dataclass
from random import random
from typing import Final

from authenticator.device.errors import DeviceError, ProblemError, UnreachableError
from protocol.signed_requests import Refusal

ONCE: Final = frozenset({Refusal.STALE, Refusal.BAD_NONCE})
"""Refusals after which a request is signed anew and sent once more, at once."""
LATER: Final = frozenset({Refusal.TOO_MANY, "unavailable"})
"""Refusals after which a request is sent again after a pause."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient a device is.

    Attributes:
        first_pause_seconds: The pause after the first failure; each further one is twice as long.
        longest_pause_seconds: Where the growth ends.
        spread: By which part of itself a pause varies at random, so that devices do not all come back at once.
        silence_seconds: After how long without a word, pings included, a socket counts as lost.
        handshake_seconds: How long opening a socket may take.
        exchange_seconds: How long one HTTP exchange may take.

    """

    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 30.0
    spread: float = 0.2
    silence_seconds: float = 60.0
    handshake_seconds: float = 10.0
    exchange_seconds: float = 15.0


class BackoffPauses:
    """Growing pauses: 1 s, 2 s, 4 s … 30 s, each varied by a fifth."""

    def __init__(self, timing: Timing, chance: Callable[[], float] = random) -> None:
        """Begin with the first pause.

        Args:
            timing: The bounds.
            chance: Gives numbers from 0 to 1.

        """
        self._timing = timing
        self._chance = chance
        self._next_seconds = timing.first_pause_seconds

    def next_seconds(self) -> float:
        """Return how long to wait now; the next pause is longer."""
        pause = min(self._next_seconds, self._timing.longest_pause_seconds)
        self._next_seconds = pause * 2
        return pause * (1 + self._timing.spread * (2 * self._chance() - 1))

    def reset(self) -> None:
        """Begin again with the first pause: something worked."""
        self._next_seconds = self._timing.first_pause_seconds


class Retries:
    """Decides for one request whether it is sent again."""

    def __init__(self, pauses: BackoffPauses, patience_seconds: float) -> None:
        """Begin.

        Args:
            pauses: The pauses between attempts.
            patience_seconds: How long the attempts may go on in all, pauses included.

        """
        self._pauses = pauses
        self._patience_seconds = patience_seconds
        self._spent: set[str] = set()

    def pause_seconds(self, error: DeviceError, elapsed_seconds: float) -> float | None:
        """Say how long to wait before the request is sent again.

        Args:
            error: What became of the last attempt.
            elapsed_seconds: How long the attempts have gone on.

        Returns:
            Seconds, 0 for at once, or None to give up.

        """
        name = error.problem.name if isinstance(error, ProblemError) else ""
        if name in ONCE and name not in self._spent:
            self._spent.add(name)
            return 0.0
        if name not in LATER and not isinstance(error, UnreachableError):
            return None
        pause = self._pauses.next_seconds()
        if isinstance(error, ProblemError):
            pause = max(pause, error.problem.retry_after_seconds or 0.0)
        return pause if elapsed_seconds + pause <= self._patience_seconds else None
