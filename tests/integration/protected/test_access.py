"""Each service works with the rights that it needs, and with no other's."""

import asyncio
import uuid
from collections.abc import Iterator

import pytest
from aiokafka.errors import TopicAuthorizationFailedError
from typer.testing import CliRunner, Result

from cli.__main__ import app
from deploy.local.stack import Stack, StackOptions
from lab.testkit.person import Person
from operations.audit.reading import read_records
from operations.audit.time_range import TimeRange
from operations.deployment import ALL
from schemas.topics import AUTH_RESPONSE, LOGIN_COMMANDS
from services.common.kafka.connection import KafkaConnection
from services.login.admin import administration
from services.login.tables import ACCOUNTS
from tests.accounts import add_account
from tests.broker import PARTITIONS
from tests.integration.protected.conftest import AUDIT, OPERATOR, SUPERUSER, ProtectedKafka, environment
from tests.integration.whole.acting import PASSWORD
from tests.polling import DEADLINE_SECONDS


def grant(protected: ProtectedKafka) -> Result:
    """Apply the access rules as the superuser."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(protected.security(SUPERUSER)).items():
            patch.setenv(name, value)
        return CliRunner().invoke(app, ["topics", "acls", "--apply", "--kafka", protected.bootstrap])


@pytest.fixture(scope="module")
def stack(protected: ProtectedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack whose services and operator have the rights of the rules, and none else."""
    granted = grant(protected)
    assert granted.exit_code == 0, granted.output
    options = StackOptions(
        tmp_path_factory.mktemp("stack"),
        kafka_bootstrap=protected.bootstrap,
        security=protected.security(OPERATOR),
        partitions=PARTITIONS,
        environment_of=lambda name: environment(protected.security(name)),
    )
    with Stack(options) as running:
        yield running


async def test_a_whole_login_works_with_the_least_rights(stack: Stack) -> None:
    name = f"p{uuid.uuid4().hex[:8]}"
    async with administration(stack.connection, stack.topic_prefix, stack.secrets) as accounts:
        await add_account(accounts, stack.urls["login"], stack.secrets, name, PASSWORD)
    async with Person.at(
        stack.urls["login"], stack.urls["push"], name, PASSWORD, patience_seconds=DEADLINE_SECONDS
    ) as person:
        await person.first_sign_in()
        await person.sign_out()
        await person.sign_in()


async def test_the_audit_reads_all_and_writes_nothing(stack: Stack, protected: ProtectedKafka) -> None:
    connection = protected.connection(AUDIT)
    async with read_records(connection, stack.topic_prefix, ALL, TimeRange()) as store:
        assert store.partitions == PARTITIONS
    with pytest.raises(TopicAuthorizationFailedError):
        await write(connection, LOGIN_COMMANDS.name)


@pytest.mark.usefixtures("stack")
async def test_pairing_does_not_read_the_accounts(protected: ProtectedKafka) -> None:
    assert await read(protected.connection(SUPERUSER), ACCOUNTS.changelog.name)
    with pytest.raises(TopicAuthorizationFailedError):
        await read(protected.connection("pairing"), ACCOUNTS.changelog.name)


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("topic", [LOGIN_COMMANDS.name, ACCOUNTS.changelog.name, AUTH_RESPONSE.name])
async def test_pairing_does_not_write_what_others_write(protected: ProtectedKafka, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await write(protected.connection("pairing"), topic)


@pytest.mark.usefixtures("stack")
async def test_rules_that_are_there_are_not_added_again(protected: ProtectedKafka) -> None:
    again = await asyncio.to_thread(grant, protected)
    assert again.output.startswith("0 added, ")


async def read(connection: KafkaConnection, topic: str) -> bytes | None:
    """Read a topic's first record, or raise why not."""
    consumer = connection.consumer(topic, group_id=None, auto_offset_reset="earliest")
    try:
        await connection.start(consumer)
        async with asyncio.timeout(DEADLINE_SECONDS):
            return (await consumer.getone()).key  # type: ignore[no-any-return] # aiokafka has no types
    finally:
        await consumer.stop()


async def write(connection: KafkaConnection, topic: str) -> None:
    """Write a record to a topic, or raise why not."""
    producer = connection.producer(request_timeout_ms=int(DEADLINE_SECONDS * 1000))
    await connection.start(producer)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            await producer.send_and_wait(topic, b"forged", b"key")
    finally:
        await producer.stop()
