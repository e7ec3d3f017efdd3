"""`countersign topics check` reports missing and differing topics on a real Kafka."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner, Result

from cli.__main__ import app
from operations import deployment as names
from operations.topics import apply_topics, differences
from schemas.topics import DAY_SECONDS
from tests.broker import PARTITIONS


async def run(command: str, kafka: str, prefix: str, *options: str) -> Result:
    """Run `countersign topics` in a thread, since it has its own event loop."""
    arguments = ["topics", command, "--kafka", kafka, "--topic-prefix", prefix, *options]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_provisioned_topics_are_as_they_should_be(kafka: str, topics: str) -> None:
    result = await run("check", kafka, topics, "--partitions", str(PARTITIONS))
    assert (result.exit_code, result.output) == (0, "All topics meet the requirements.\n")
    again = await run("apply", kafka, topics, "--partitions", str(PARTITIONS))
    assert again.output == f"0 created, {len(names.ALL)} existed before.\n"


async def test_missing_topics_are_named(kafka: str, topic_prefix: str) -> None:
    result = await run("check", kafka, topic_prefix)
    assert result.exit_code == 1
    assert result.output.count("is missing") == len(names.ALL)
    assert f"{topic_prefix}auth.challenge is missing" in result.output


async def test_another_number_of_partitions_is_found(kafka: str, topics: str) -> None:
    result = await run("check", kafka, topics, "--partitions", str(PARTITIONS + 1))
    assert result.exit_code == 1
    assert f"{topics}device.paired has {PARTITIONS} partitions instead of {PARTITIONS + 1}" in result.output


async def test_setting_of_a_topic_that_was_there_before_is_found(kafka: str, topic_prefix: str) -> None:
    name = f"{topic_prefix}auth.response"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1, topic_configs={"retention.ms": "1000"})])
    await apply_topics(kafka, topic_prefix, PARTITIONS, replication=1)
    found = await differences(kafka, topic_prefix, PARTITIONS, replication=1)
    assert f"{name} has retention.ms 1000 instead of {7 * DAY_SECONDS * 1000}" in found
    assert all(difference.startswith(name) for difference in found)
    fewer = await differences(kafka, topic_prefix, PARTITIONS, replication=3)
    assert f"{topic_prefix}device.paired is replicated on 1 brokers instead of 3" in fewer
    await admin.delete_topics([topic_prefix + topic.name for topic in names.ALL])
    await admin.close()


async def test_an_unreachable_kafka_is_reported_in_one_line() -> None:
    for command in ("apply", "check"):
        result = await run(command, "127.0.0.1:1", "")
        assert (result.exit_code, result.output.count("\n")) == (1, 1)
        assert "127.0.0.1:1" in result.output
