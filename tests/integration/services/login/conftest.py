"""The login service of these tests, and the people at it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.stack import READY_TIMEOUT_SECONDS, Stack, StackOptions
from tests.broker import PARTITIONS, own_prefix
from tests.integration.services.login.people import Person, a_person
from tests.integration.services.wire import Wire

SETTINGS = {
    # All people here have one address.
    "LOGIN_ADDRESSES_TRIES": "100000",
    "LOGIN_REMEMBER_DAYS": "30",
}


@pytest.fixture(scope="package")
def stack(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack of which the login service runs."""
    with own_prefix(kafka) as prefix:
        folder = tmp_path_factory.mktemp("login")
        made = Stack(
            StackOptions(
                folder, kafka_bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS, environment=SETTINGS
            )
        )
        made.logs.mkdir(parents=True)
        made.apply_topics()
        try:
            made.instances["login"].start()
            made.instances["login"].await_ready(READY_TIMEOUT_SECONDS)
            yield made
        finally:
            made.stop()


@pytest.fixture
async def person(stack: Stack, wire: Wire) -> AsyncIterator[Person]:
    """Give a person with an account and no phone yet."""
    async with a_person(stack, wire) as made:
        yield made
