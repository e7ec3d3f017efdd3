"""What several of these modules need."""

from collections.abc import Iterator

import pytest

from tests.otlp import Receiver, receiving


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Give what takes the spans of a module's stack."""
    with receiving() as running:
        yield running
