"""What all tests share."""

import gc
import os
import signal
from collections.abc import Iterator
from typing import Final

import pytest

from operations.kafka_tools import SHORT_LIVED
from tests.forks import child_of

pytest_plugins = ["tests.broker", "tests.chromium", "tests.properties", "tests.summary"]
ORDER: Final = (
    "usual",
    "strict",
    "tests/integration/whole/test_chaos.py",
    "tests/e2e/",
    "tests/integration/",
    "tests/model/",
    "tests/component/",
    "tests/unit/",
)
"""A run lasts until its longest group of tests ends, so the longest begin first: by stack or by place."""


def pytest_configure() -> None:
    """Let programs that tests start be interrupted, though a shell runs background jobs with that signal ignored.

    And let every Kafka here do without the optimizing compiler, as brokers that live for minutes do.
    """
    os.environ["JDK_JAVA_OPTIONS"] = " ".join(SHORT_LIVED)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def services_are_forked() -> Iterator[None]:
    """Have the services of every stack forked from a process that has imported them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deploy.local.instance_process.Child", child_of)
        yield


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, and those on a stack, for even an idle one takes an eighth of a core."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_site(item) or _place(item)))
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """Have no look for garbage go through all that was collected: it never is any."""
    gc.freeze()


def _site(item: pytest.Item) -> str:
    """Return the stack that an end-to-end test plays on; empty for other tests."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return str(parameters.get("site", ""))


def _place(item: pytest.Item) -> str:
    """Return a test's package, whose tests share a stack, or its file where that is in no package."""
    folder = item.path.parent
    place = folder if (folder / "__init__.py").exists() else item.path
    return place.relative_to(item.config.rootpath).as_posix()


def _turn(item: pytest.Item) -> tuple[int, str]:
    """Return when a test's turn is; those of a stack come one after the other."""
    site, path = _site(item), item.path.relative_to(item.config.rootpath).as_posix()
    turn = next((turn for turn, place in enumerate(ORDER) if site == place or path.startswith(place)), len(ORDER))
    return turn, site
