"""The supervisor restarts a process that ends, with growing pauses, and never gives up."""

from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.kafka.broker import KafkaStartError
from deploy.local.supervisor import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, STEADY_SECONDS, Supervisor


@dataclass
class Fragile:
    """A process that dies when a test sets its exit code."""

    name: str = "push"
    log_path: Path = Path("push.log")
    exit_code: int | None = None
    starts: int = 0
    breaks_at_start: bool = False
    lines: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.starts += 1
        if self.breaks_at_start:
            message = "Kafka ended during its start; its log is kafka.log:\nand more"
            raise KafkaStartError(message)
        self.exit_code = None


def seconds_until_start(process: Fragile, supervisor: Supervisor, now: float) -> float:
    """Let the process die, check every tenth of a second until it is restarted, and return the time in seconds."""
    process.exit_code = -9
    before = process.starts
    for tenths in range(1000):
        supervisor.check(now + tenths / 10)
        if process.starts > before:
            return tenths / 10
    raise AssertionError


def test_pauses_grow_up_to_a_bound() -> None:
    process = Fragile()
    supervisor = Supervisor(process, process.lines.append, now=0)
    now = 0.0
    pauses = []
    for _ in range(8):
        pauses.append(seconds_until_start(process, supervisor, now))
        now += pauses[-1]

    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert (pauses[0], pauses[-1]) == (FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)


def test_a_steady_process_restarts_soon() -> None:
    process = Fragile()
    supervisor = Supervisor(process, process.lines.append, now=0)
    first = seconds_until_start(process, supervisor, 0)
    second = seconds_until_start(process, supervisor, first)
    third = seconds_until_start(process, supervisor, first + second + STEADY_SECONDS)

    assert (first, second, third) == (1, 2, 1)


def test_each_exit_is_one_line_with_the_log() -> None:
    process = Fragile()
    supervisor = Supervisor(process, process.lines.append, now=0)
    seconds_until_start(process, supervisor, 0)
    supervisor.check(100)

    assert process.lines == ["push ended with status -9; it restarts in 1 s. Its log: push.log"]


def test_a_failed_start_is_retried() -> None:
    process = Fragile(breaks_at_start=True)
    supervisor = Supervisor(process, process.lines.append, now=0)
    process.exit_code = 1
    for now in range(5):
        supervisor.check(now)

    assert process.starts == 2
    start = "push did not start (Kafka ended during its start; its log is kafka.log); it restarts"
    assert process.lines[1].startswith(start)
