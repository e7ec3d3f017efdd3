"""What all tests share."""

import pytest

pytest_plugins = ["tests.broker", "tests.properties"]
SITES = ("site", "hasty_site", "generous_site", "careful_site", "fragile_site")
"""The end-to-end tests' stacks; even one that nobody plays on takes a tenth of a core."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a stack in one process, so that it is started once, and elsewhere those of a file."""
    for item in items:
        names: list[str] = getattr(item, "fixturenames", [])
        site = next((name for name in SITES if name in names), None)
        item.add_marker(pytest.mark.xdist_group(site or item.path.as_posix()))
