"""Tests in virtual time: nothing waits, and each run takes the same course."""

from collections.abc import Callable, Coroutine
from functools import wraps
from random import Random
from typing import Any, ParamSpec

from lab.simulation.broker import Broker, SimulatedRecord
from lab.simulation.loop import simulate

Parameters = ParamSpec("Parameters")


def in_virtual_time(test: Callable[Parameters, Coroutine[Any, Any, None]]) -> Callable[Parameters, None]:
    """Return a test that runs a coroutine on the simulation's event loop."""

    @wraps(test)
    def run(*arguments: Parameters.args, **options: Parameters.kwargs) -> None:
        simulate(Random(1), lambda _loop: test(*arguments, **options))  # noqa: S311 - the same in each run

    return run


def a_broker(on_append: Callable[[SimulatedRecord], None] = lambda _record: None, partitions: int = 1) -> Broker:
    """Return a simulated broker on which nothing goes wrong by itself."""
    broker = Broker(Random(1), partitions, on_append)  # noqa: S311 - the same in each run
    broker.faulty = False
    return broker
