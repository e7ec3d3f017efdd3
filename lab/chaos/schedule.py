"""Which faults are made, in which order and for how long: the same for the same seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from types import MappingProxyType
from typing import Final


class FaultKind(StrEnum):
    """What is broken."""

    KILL_LOGIN = "kill-login"
    KILL_PAIRING = "kill-pairing"
    KILL_PUSH = "kill-push"
    PAUSE_INSTANCE = "pause-instance"
    ROLL = "roll"
    KILL_BROKER = "kill-broker"
    KILL_CONTROLLER = "kill-controller"
    KILL_TWO_BROKERS = "kill-two-brokers"
    PAUSE_BROKER = "pause-broker"
    CUT_BROKER = "cut-broker"
    FILL_DISK = "fill-disk"
    STEP_CLOCK = "step-clock"


SECONDS: Final[Mapping[FaultKind, tuple[float, float]]] = MappingProxyType(
    {
        FaultKind.KILL_LOGIN: (1, 8),
        FaultKind.KILL_PAIRING: (1, 8),
        FaultKind.KILL_PUSH: (1, 8),
        # Past the session's timeout of six seconds: its partitions go to another instance before it wakes.
        FaultKind.PAUSE_INSTANCE: (9, 15),
        FaultKind.ROLL: (0, 0),
        FaultKind.KILL_BROKER: (2, 12),
        FaultKind.KILL_CONTROLLER: (2, 12),
        FaultKind.KILL_TWO_BROKERS: (2, 12),
        # Past the 3 s after which the cluster does without a broker.
        FaultKind.PAUSE_BROKER: (6, 12),
        FaultKind.CUT_BROKER: (6, 15),
        FaultKind.FILL_DISK: (6, 12),
        FaultKind.STEP_CLOCK: (5, 15),
    }
)
"""How long each fault lasts, at least and at most, in seconds."""
LONGEST_STEP_SECONDS: Final = 45


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault to be made.

    Attributes:
        kind: What is broken.
        choice: Decides which of several is broken.
        seconds: How long it lasts.
        step_seconds: How far a clock is moved.
        pause_seconds: How long no fault follows, once the cluster has recovered.

    """

    kind: FaultKind
    choice: int
    seconds: float
    step_seconds: int
    pause_seconds: float


def plan(seed: int, kinds: Sequence[FaultKind] = tuple(FaultKind)) -> Iterator[Fault]:
    """Give the faults of a run without end: rounds in which each kind comes once, in an order by chance.

    Args:
        seed: Decides everything.
        kinds: Which kinds there are.

    """
    random = Random(seed)  # noqa: S311 - what is wanted is the same again
    while True:
        for kind in random.sample(kinds, len(kinds)):
            ahead = random.choice((-1, 1)) * random.randint(5, LONGEST_STEP_SECONDS)
            yield Fault(kind, random.randrange(1 << 16), random.uniform(*SECONDS[kind]), ahead, random.uniform(1, 4))
