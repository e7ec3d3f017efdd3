"""What all tests share."""

import os
import signal
from collections.abc import Iterator
from typing import Final

import pytest

from deploy.kafka.java import SHORT_LIVED
from tests.forks import child_of

pytest_plugins = ["tests.broker", "tests.chromium", "tests.properties"]
ORDER: Final = (
    "tests/integration/whole/test_chaos.py",
    "tests/integration/",
    "tests/component/",
    "tests/unit/",
    "tests/e2e/",
)
"""A run lasts until its longest file ends, so that one begins first. The end-to-end tests come last, because their
stacks run until the run ends, and even one that nobody plays on takes a tenth of a core."""
USUAL: Final = "usual"
"""The stack on which most end-to-end tests play: each process of tests has one, and they fill what time is left."""


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
        patch.setattr("deploy.instance.Child", child_of)
        yield


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, and those on a stack too, but for the usual one, which each has."""
    for item in items:
        site = _site(item)
        item.add_marker(pytest.mark.xdist_group(item.location[0] if site in {"", USUAL} else site))
    items.sort(key=_turn)


def _site(item: pytest.Item) -> str:
    """Return the stack that an end-to-end test plays on; empty for other tests."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return str(parameters.get("site", ""))


def _turn(item: pytest.Item) -> tuple[int, bool, str]:
    """Return when a test's turn is; those of a stack come one after the other, those on the usual one last."""
    path = item.path.relative_to(item.config.rootpath).as_posix()
    turn = next((turn for turn, place in enumerate(ORDER) if path.startswith(place)), len(ORDER))
    return turn, _site(item) == USUAL, _site(item)
