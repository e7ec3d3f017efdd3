"""Work is divided among client processes, and only what ends in the part that counts is counted."""

import time

import pytest

from lab.bench.client.driving import NoMoreError, Samples, Window, drive
from lab.bench.client.process import ClientProcess
from lab.bench.passes import CLIENT, PassRunner, share, summarize
from lab.testkit.page import PageError


@pytest.mark.parametrize(
    ("at_once", "parts"), [(1, [1]), (2, [1, 1]), (3, [2, 1]), (128, [64, 64])], ids=["1", "2", "3", "128"]
)
def test_who_does_something_at_a_time_is_divided_among_the_clients(at_once: int, parts: list[int]) -> None:
    clients = [ClientProcess.__new__(ClientProcess) for _ in range(2)]
    assert PassRunner(clients, lambda _title, _progress: None).split(at_once) == parts


def test_each_person_is_at_one_client() -> None:
    shares = share(range(10, 21), 2)
    assert [number for each in shares for number in each] == list(range(10, 21))
    assert [len(each) for each in shares] == [6, 5]


def test_what_ends_in_the_warm_up_or_after_the_end_does_not_count() -> None:
    samples = [
        Samples(ended=[9.0, 10.5, 11.0], seconds=[9.0, 0.1, 0.2], requests=12, errors=["first"]),
        Samples(ended=[12.0, 12.5], seconds=[0.3, 7.0], requests=8, errors=["second"]),
    ]
    found = summarize("Logins", samples, Window(10.0, 12.0), {"login": 0.6, "push": 0.3, CLIENT: 0.9}, 4)
    assert (found.done, found.everything, found.seconds) == (3, 5, 2.0)
    assert found.latencies.p50 == pytest.approx(200)
    assert found.per_second == pytest.approx(1.5)
    assert found.cpu_ms == pytest.approx({"login": 200, "push": 100, CLIENT: 300})
    assert found.server_cpu_ms == pytest.approx(300)
    assert found.requests == pytest.approx(4)
    assert found.errors == ["first", "second"]


def test_a_pass_in_which_nothing_was_done_has_figures() -> None:
    found = summarize("Logins", [Samples()], Window(1.0, 2.0), {"login": 0.5, CLIENT: 0.0}, 1)
    assert (found.per_second, found.latencies.p50, found.server_cpu_ms) == (0, 0, 500)


async def test_work_goes_on_after_an_error_and_ends_when_there_is_none_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.bench.client.driving.PAUSE_AFTER_ERROR_SECONDS", 0)
    turns = iter([PageError("a page"), None, NoMoreError()])

    async def act(samples: Samples) -> None:
        turn = next(turns)
        if turn is not None:
            raise turn
        samples.add(1.0, 0.5, 3)

    window = Window(time.monotonic(), time.monotonic() + 60)
    found = await drive(1, window, act)
    assert (found.seconds, found.requests, found.errors) == ([0.5], 3, ["PageError: a page"])


async def test_work_that_only_fails_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.bench.client.driving.PAUSE_AFTER_ERROR_SECONDS", 0)

    async def act(_samples: Samples) -> None:
        raise TimeoutError

    window = Window(time.monotonic(), time.monotonic() + 60)
    assert len((await drive(2, window, act)).errors) == 40
