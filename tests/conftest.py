"""What all tests share."""

import signal

import pytest

pytest_plugins = ["tests.broker", "tests.properties"]


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
