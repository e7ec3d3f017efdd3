"""A topic that vanishes is named by /ready, and once it is there again all goes on without a restart."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import pytest

from deploy.local.stack import Stack, StackOptions
from operations.topics import apply_topics, differences
from schemas.topics import AUTH_CHALLENGE, LOGIN_COMMANDS, Topic
from services.common.kafka import kafka_watch
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.kafka_watch import KafkaWatch
from services.common.kafka.topic_watch import TopicRequirements
from services.login.tables import ACCOUNTS
from tests.broker import PARTITIONS
from tests.integration.whole.acting import a_person
from tests.polling import eventually
from tests.topic_settings import set_topic_setting

CHANGELOG: Final = ACCOUNTS.changelog
TOPICS: Final = (AUTH_CHALLENGE, LOGIN_COMMANDS, LOGIN_COMMANDS.dead_letter, CHANGELOG)


@pytest.fixture(scope="module")
def stack(stack_options: StackOptions) -> Iterator[Stack]:
    """Give a running stack."""
    with Stack(stack_options) as running:
        yield running


async def delete(connection: KafkaConnection, name: str) -> None:
    """Delete a topic."""
    admin = connection.admin()
    await connection.start(admin)
    try:
        await admin.delete_topics([name])
    finally:
        await admin.close()


@pytest.mark.parametrize(
    "topic", [AUTH_CHALLENGE, LOGIN_COMMANDS, LOGIN_COMMANDS.dead_letter, CHANGELOG], ids=lambda topic: topic.name
)
async def test_all_goes_on_once_a_topic_is_there_again(stack: Stack, topic: Topic) -> None:
    login = stack.instances["login"]
    pid = login.pid
    async with a_person(stack) as person:
        await person.first_sign_in()

    name = f"{stack.topic_prefix}{topic.name}"
    await delete(stack.connection, name)
    await eventually(lambda: f"{name} is missing: countersign topics apply" in (login.not_ready_reason() or ""))
    applied = await asyncio.to_thread(stack.apply_topics)
    assert applied.created == (name,)
    await eventually(lambda: all(each.is_ready() for each in stack.instances.values()))

    async with a_person(stack) as person:
        await person.first_sign_in()
    assert login.pid == pid


async def test_a_topic_that_is_made_anew_at_once_is_noticed_too(stack: Stack) -> None:
    login = stack.instances["login"]
    pid = login.pid
    async with a_person(stack) as person:
        await person.first_sign_in()
        await delete(stack.connection, f"{stack.topic_prefix}{LOGIN_COMMANDS.name}")
        await asyncio.to_thread(stack.apply_topics)
        begun = login.log_path.read_text().count("begins again with its topics")
        await eventually(lambda: login.log_path.read_text().count("begins again with its topics") > begun)
        await eventually(login.is_ready)
        await person.sign_out()
        await person.sign_in()
    assert login.pid == pid


@asynccontextmanager
async def watching(kafka: str, prefix: str) -> AsyncIterator[KafkaWatch]:
    """Give a watch that runs."""
    watch = KafkaWatch(KafkaConnection(kafka), TopicRequirements([CHANGELOG, LOGIN_COMMANDS], prefix, PARTITIONS))
    await watch.wait_for_topics()
    running = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await watch.stop()


async def test_a_changelog_that_kafka_deletes_is_named_until_it_is_mended(
    kafka: str, topics: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_watch, "CONFIGS_SECONDS", 0.0)
    connection, name = KafkaConnection(kafka), f"{topics}{CHANGELOG.name}"
    async with watching(kafka, topics) as watch:
        assert watch.findings.endangering == ()
        await set_topic_setting(connection, name, "cleanup.policy", "delete")
        mend = f"countersign topics apply --topic-prefix {topics} --partitions {PARTITIONS} --replication 1"
        sentence = f"{name} has cleanup.policy delete instead of compact: {mend}"
        await eventually(lambda: watch.findings.endangering == (sentence,))
        assert await differences(connection, topics, PARTITIONS, replication=1) == [sentence]
        applied = await apply_topics(connection, topics, PARTITIONS, replication=1)
        (mended,) = applied.mended
        assert mended.startswith(f"{name}: cleanup.policy compact instead of delete; what Kafka deleted before is lost")
        await eventually(lambda: watch.findings.endangering == ())
        assert await differences(connection, topics, PARTITIONS, replication=1) == []
