"""Retries: which requests are sent again, and after which pause (docs/protocol.md sections 3 and 5). Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from random import random
from typing import Final

from authenticator.device.errors import DeviceError, ProblemError, UndecidedError, UnreachableError
from protocol.signed_requests import Refusal

ONCE: Final = frozenset({Refusal.STALE, Refusal.BAD_NONCE})
"""Refusals after which a request is signed again and sent once more, without a pause."""
LATER: Final = frozenset({Refusal.TOO_MANY, "unavailable"})
"""Refusals after which a request is sent again after a pause."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Timeouts and pauses of a device.

    Attributes:
        first_pause_seconds: The pause after the first failure; each further one is twice as long.
        longest_pause_seconds: The longest pause.
        spread: Jitter: the part of a pause by which it varies at random.
        silence_seconds: How long a socket may be silent, without pings, before it counts as lost.
        handshake_seconds: The timeout for opening a socket.
        exchange_seconds: The timeout for one HTTP exchange.

    """

    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 30.0
    spread: float = 0.2
    silence_seconds: float = 60.0
    handshake_seconds: float = 10.0
    exchange_seconds: float = 15.0


class BackoffPauses:
    """Exponential backoff with jitter: 1 s, 2 s, 4 s … 30 s, each varied by a fifth."""

    def __init__(self, timing: Timing, chance: Callable[[], float] = random) -> None:
        """Start with the first pause; ``chance`` returns numbers from 0 to 1."""
        self._timing = timing
        self._chance = chance
        self._next_seconds = timing.first_pause_seconds

    def next_seconds(self) -> float:
        """Return the next pause, which is longer than the one before."""
        pause = min(self._next_seconds, self._timing.longest_pause_seconds)
        self._next_seconds = pause * 2
        return pause * (1 + self._timing.spread * (2 * self._chance() - 1))

    def reset(self) -> None:
        """Start again with the first pause, after a success."""
        self._next_seconds = self._timing.first_pause_seconds


class Retries:
    """The retries of one request."""

    def __init__(self, pauses: BackoffPauses, retry_seconds: float) -> None:
        """Take the pauses between attempts, and the longest time for all attempts, pauses included."""
        self._pauses = pauses
        self._retry_seconds = retry_seconds
        self._spent: set[str] = set()

    def pause_seconds(self, error: DeviceError, elapsed_seconds: float) -> float | None:
        """Return the pause before the next attempt, 0 for none, or None to give up.

        Args:
            error: The error of the last attempt.
            elapsed_seconds: The time since the first attempt.

        """
        name = error.problem.name if isinstance(error, ProblemError) else ""
        if name in ONCE and name not in self._spent:
            self._spent.add(name)
            return 0.0
        if name not in LATER and not isinstance(error, UnreachableError | UndecidedError):
            return None
        pause = self._pauses.next_seconds()
        if isinstance(error, ProblemError):
            pause = max(pause, error.problem.retry_after_seconds or 0.0)
        return pause if elapsed_seconds + pause <= self._retry_seconds else None
