"""Browsers share the network lock, a change of networks has it alone, and neither starves the other."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import pytest

from tests.network_lock import network_lock
from tests.polling import eventually


def is_locked(path: Path) -> bool:
    """Tell whether a file is locked."""
    with path.open("w") as file:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.parametrize("exclusive", [False, True])
def test_an_exception_releases_the_lock(tmp_path: Path, *, exclusive: bool) -> None:
    path = tmp_path / "lock"

    def fail() -> None:
        with network_lock(path, exclusive=exclusive):
            assert is_locked(path)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not is_locked(path)


async def test_a_change_waits_for_all_browsers_and_later_browsers_wait_for_the_change(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    turns: list[str] = []

    def take(turn: str, *, exclusive: bool) -> None:
        with network_lock(path, exclusive=exclusive):
            turns.append(turn)

    with ThreadPoolExecutor() as threads, ExitStack() as browsers:
        for _ in range(2):
            browsers.enter_context(network_lock(path))
        change = threads.submit(take, "change", exclusive=True)
        await eventually(lambda: is_locked(path.with_suffix(".queue")))
        later = threads.submit(take, "browser", exclusive=False)
        assert turns == []
        browsers.close()
        change.result()
        later.result()
    assert turns == ["change", "browser"]
