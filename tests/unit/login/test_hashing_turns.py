"""Who hashes first: networks take turns, two of each at a time at most, and known browsers come before all others."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from services.common.kafka.publisher import UnavailableError
from services.login.sign_in.passwords import MOST_OF_A_NETWORK, HashingThreads, HashingTurn
from tests.polling import DEADLINE_SECONDS, eventually


class Hashing:
    """Calls that hold their thread until they may end.

    Attributes:
        begun: Who began, in order.

    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, workers: int, most_waiting: int = 50) -> None:
        monkeypatch.setattr("os.cpu_count", lambda: workers)
        self._threads = HashingThreads(most_waiting)
        self._may_end: dict[str, threading.Event] = {}
        self.begun: list[str] = []

    def call(self, who: str, network: str, *, known: bool = False) -> "asyncio.Task[None]":
        """Begin a call."""
        self._may_end[who] = threading.Event()
        return asyncio.create_task(self._threads.run(HashingTurn(network, known=known), self._work(who)))

    def end(self, *who: str) -> None:
        """Let calls end."""
        for each in who:
            self._may_end[each].set()

    def _work(self, who: str) -> Callable[[], None]:
        def work() -> None:
            self.begun.append(who)
            assert self._may_end[who].wait(DEADLINE_SECONDS)

        return work


async def test_a_network_hashes_two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    hashing = Hashing(monkeypatch, workers=4)
    crowd = [hashing.call(f"crowd {number}", "crowd") for number in range(5)]
    await eventually(lambda: len(hashing.begun) == MOST_OF_A_NETWORK)
    other = hashing.call("other", "elsewhere")
    await eventually(lambda: hashing.begun[-1] == "other")
    assert len(hashing.begun) == MOST_OF_A_NETWORK + 1
    hashing.end("other", *(f"crowd {number}" for number in range(5)))
    await asyncio.gather(other, *crowd)


async def test_networks_take_turns_and_known_browsers_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    hashing = Hashing(monkeypatch, workers=1)
    calls = [hashing.call("first", "crowd")]
    await eventually(lambda: hashing.begun == ["first"])
    calls += [hashing.call(f"crowd {number}", "crowd") for number in range(3)]
    calls += [hashing.call("other", "elsewhere"), hashing.call("known", "crowd", known=True)]
    await asyncio.sleep(0)
    hashing.end("first", "crowd 0", "crowd 1", "crowd 2", "other", "known")
    await asyncio.gather(*calls)
    assert hashing.begun == ["first", "known", "crowd 0", "other", "crowd 1", "crowd 2"]


async def test_the_crowd_gives_up_its_oldest_place(monkeypatch: pytest.MonkeyPatch) -> None:
    hashing = Hashing(monkeypatch, workers=1, most_waiting=2)
    calls = [hashing.call("first", "crowd")]
    await eventually(lambda: hashing.begun == ["first"])
    calls += [hashing.call("crowd 0", "crowd"), hashing.call("crowd 1", "crowd"), hashing.call("other", "elsewhere")]
    await asyncio.sleep(0)
    hashing.end("first", "crowd 1", "other")
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in outcomes] == [type(None), UnavailableError, type(None), type(None)]


async def test_a_request_that_leaves_gives_its_place_up(monkeypatch: pytest.MonkeyPatch) -> None:
    hashing = Hashing(monkeypatch, workers=1)
    first = hashing.call("first", "one")
    await eventually(lambda: hashing.begun == ["first"])
    gone, last = hashing.call("gone", "two"), hashing.call("last", "three")
    await asyncio.sleep(0)
    gone.cancel()
    hashing.end("first", "last")
    await asyncio.gather(first, last)
    assert hashing.begun == ["first", "last"]
