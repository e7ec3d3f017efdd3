"""Key queues: the work of a key in order, that of different keys side by side, and never too much at once."""

import asyncio
from collections import defaultdict
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.simulation.loop import simulate
from services.common.streams.key_queues import KeyQueues, Work
from tests.virtual import in_virtual_time

WORK = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c", b"d"]), st.integers(0, 3), st.integers(0, 5)), max_size=25)
"""The key of each piece of work, how long it waits to be entered, and how long it takes."""


def failing(error: Exception) -> Work:
    """Return work that fails."""

    async def work() -> None:
        await asyncio.sleep(1)
        raise error

    return work


def noting(done: list[str], name: str, seconds: float = 1) -> Work:
    """Return work that notes its name at its end."""

    async def work() -> None:
        await asyncio.sleep(seconds)
        done.append(name)

    return work


@given(work=WORK, at_once=st.integers(1, 4), seed=st.integers(0, 2**16))
def test_work_of_a_key_is_done_in_order_and_never_too_much_at_once(
    work: list[tuple[bytes, int, int]], at_once: int, seed: int
) -> None:
    done, running, most = defaultdict[bytes, list[int]](list), dict[bytes, int](), 0

    async def main() -> None:
        nonlocal most
        queues = KeyQueues(at_once)

        async def run(key: bytes, number: int, seconds: int) -> None:
            nonlocal most
            assert key not in running, "two pieces of work of one key at the same time"
            running[key] = number
            most = max(most, len(running))
            await asyncio.sleep(seconds)
            del running[key]
            done[key].append(number)

        for number, (key, wait, seconds) in enumerate(work):
            await asyncio.sleep(wait)
            queues.put(key, partial(run, key, number, seconds))
        while queues.keys:
            await asyncio.sleep(1)
        await queues.close()

    simulate(Random(seed), lambda _loop: main())  # noqa: S311 - the same in each run
    assert most <= at_once
    assert done == {key: [number for number, (each, *_) in enumerate(work) if each == key] for key, *_ in work}


@in_virtual_time
async def test_slow_key_holds_up_no_other() -> None:
    queues, done = KeyQueues(2), list[str]()
    queues.put(b"slow", noting(done, "slow", 100))
    queues.put(b"slow", noting(done, "slow again"))
    for number in range(3):
        queues.put(b"quick", noting(done, f"quick {number}"))
    assert (queues.keys, queues.longest, queues.length(b"quick"), queues.length(b"other")) == (2, 3, 3, 0)
    await asyncio.sleep(99)
    assert done == ["quick 0", "quick 1", "quick 2"]
    assert (queues.keys, queues.longest) == (1, 2)
    await asyncio.sleep(100)
    assert done[3:] == ["slow", "slow again"]
    await queues.close()


@in_virtual_time
async def test_failure_is_raised_and_what_waits_behind_it_never_begins() -> None:
    queues, done = KeyQueues(4), list[str]()
    queues.put(b"a", failing(ValueError("a")))
    queues.put(b"a", noting(done, "behind it"))
    queues.put(b"b", noting(done, "another", 5))
    with pytest.raises(ValueError, match="a"):
        await queues.wait_failure()
    await asyncio.sleep(10)
    assert done == ["another"]
    await queues.close()


@in_virtual_time
async def test_closed_queues_do_nothing_more() -> None:
    queues, done = KeyQueues(1), list[str]()
    for key in (b"a", b"b"):
        queues.put(key, noting(done, key.decode()))
    await asyncio.sleep(0.5)
    await queues.close()
    await asyncio.sleep(10)
    assert done == []
