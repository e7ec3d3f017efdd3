"""What all tests share."""

import pytest

pytest_plugins = ["tests.broker", "tests.properties"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the end-to-end tests of a stack in one process, where it is started once, and elsewhere those of a file."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        item.add_marker(pytest.mark.xdist_group(parameters.get("site", item.path.as_posix())))
