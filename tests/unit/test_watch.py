"""What dies is started again, at once at first, then with growing pauses, and never given up."""

from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.kafka.broker import KafkaStartError
from deploy.local.supervisor import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, STEADY_SECONDS, Supervisor


@dataclass
class Fragile:
    """Something that dies when a test says so."""

    name: str = "push"
    log_path: Path = Path("push.log")
    exit_code: int | None = None
    starts: int = 0
    breaks_at_start: bool = False
    said: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.starts += 1
        if self.breaks_at_start:
            message = "Kafka ended at its start; its log is kafka.log:\nand more"
            raise KafkaStartError(message)
        self.exit_code = None


def seconds_until_start(subject: Fragile, watch: Supervisor, now: float) -> float:
    """Let it die, and look every tenth of a second until it is started again; return how long that took."""
    subject.exit_code = -9
    before = subject.starts
    for tenths in range(1000):
        watch.look(now + tenths / 10)
        if subject.starts > before:
            return tenths / 10
    raise AssertionError


def test_pauses_grow_up_to_a_bound() -> None:
    subject = Fragile()
    watch = Supervisor(subject, subject.said.append, now=0)
    now = 0.0
    pauses = []
    for _ in range(8):
        pauses.append(seconds_until_start(subject, watch, now))
        now += pauses[-1]

    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert (pauses[0], pauses[-1]) == (FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)


def test_who_ran_steadily_starts_again_soon() -> None:
    subject = Fragile()
    watch = Supervisor(subject, subject.said.append, now=0)
    first = seconds_until_start(subject, watch, 0)
    second = seconds_until_start(subject, watch, first)
    third = seconds_until_start(subject, watch, first + second + STEADY_SECONDS)

    assert (first, second, third) == (1, 2, 1)


def test_each_death_is_one_line_with_the_log() -> None:
    subject = Fragile()
    watch = Supervisor(subject, subject.said.append, now=0)
    seconds_until_start(subject, watch, 0)
    watch.look(100)

    assert subject.said == ["push ended with status -9; it starts again in 1 s. Its log: push.log"]


def test_a_start_that_fails_is_tried_again() -> None:
    subject = Fragile(breaks_at_start=True)
    watch = Supervisor(subject, subject.said.append, now=0)
    subject.exit_code = 1
    for now in range(5):
        watch.look(now)

    assert subject.starts == 2
    assert subject.said[1].startswith("push did not start (Kafka ended at its start; its log is kafka.log); it starts")
