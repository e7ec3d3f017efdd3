"""What all tests share."""

import signal
from typing import Final

import pytest

pytest_plugins = ["tests.broker", "tests.properties"]
LONGEST_FIRST: Final = (
    "tests/integration/whole/test_chaos.py",
    "tests/integration/whole/test_repartition.py",
    "tests/e2e/",
    "tests/integration/",
    "tests/component/",
    "tests/unit/",
)
"""A run lasts until its longest file ends, so that one begins first; short ones fill what is left of the time."""


def pytest_configure() -> None:
    """Let programs that tests start be interrupted, though a shell runs background jobs with that signal ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the end-to-end tests of a stack in one process, where it is started once, and elsewhere those of a file."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        item.add_marker(pytest.mark.xdist_group(parameters.get("site", item.location[0])))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """Return when a test's turn is; those of a stack stay together, since the order is stable."""
    path = item.path.relative_to(item.config.rootpath).as_posix()
    return next((turn for turn, place in enumerate(LONGEST_FIRST) if path.startswith(place)), len(LONGEST_FIRST))
