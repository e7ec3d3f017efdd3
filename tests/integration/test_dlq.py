"""`countersign dlq` lists, shows and retries dead letters on a real Kafka."""

import asyncio
import json
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from typer.testing import CliRunner, Result

from cli.__main__ import app
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.dead_letters import DeadLetterWriter, RecordPosition
from services.common.kafka.partitions import partition_of
from services.common.kafka.publisher import Publisher
from tests.broker import PARTITIONS
from tests.contract.recordings import read_recordings

RECORDED = read_recordings()["countersign.auth.response.v1"]
REASON = "challenge-1: the seal does not hold"


@pytest.fixture
async def letters(kafka: str, topics: str) -> str:
    """Publish two dead letters, of which one can be decoded; provide the topics' prefix."""
    publisher = Publisher(KafkaConnection(kafka), topics, "test")
    await publisher.start()
    writer = DeadLetterWriter(publisher, topics, "login")
    place = RecordPosition(f"{topics}auth.response", 1, 7)
    await writer.write(place, RECORDED.key, RECORDED.value, RECORDED.headers, REASON)
    await writer.write(place, b"k\x00", b"\xff", [("ce_type", b"nonsense")], "unknown type, or none: nonsense")
    await publisher.stop()
    return topics


async def run(kafka: str, prefix: str, *words: str) -> Result:
    """Run `countersign dlq` in a thread, since it has its own event loop."""
    arguments = ["dlq", *words, "--kafka", kafka, "--topic-prefix", prefix]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def listed(kafka: str, prefix: str) -> list[dict[str, Any]]:
    result = await run(kafka, prefix, "list", "--json")
    return [json.loads(line) for line in result.output.splitlines()]


async def test_an_empty_list_is_reported(kafka: str, topics: str) -> None:
    result = await run(kafka, topics, "list")
    assert (result.exit_code, result.output) == (0, "No dead letters.\n")


async def test_each_is_listed_with_its_reason_and_shown_whole(kafka: str, letters: str) -> None:
    result = await run(kafka, letters, "list")
    assert result.output.endswith("2 dead letters.\n")
    assert REASON in result.output
    good, bad = await listed(kafka, letters)
    shown = await run(kafka, letters, "show", good["place"])
    assert f"Origin     {letters}auth.response/1/7\n" in shown.output
    assert "Now        it can be decoded\n" in shown.output
    assert RECORDED.value.decode() in shown.output
    assert "dlq_reason" not in shown.output
    shown = await run(kafka, letters, "show", bad["place"])
    assert "Now        unknown type, or none: nonsense\n" in shown.output
    assert "Key        0x6b00\n" in shown.output
    some = await run(kafka, letters, "list", "--reason", "seal")
    assert some.output.endswith("1 dead letters.\n")


async def test_one_that_can_be_read_is_sent_again_as_it_was_and_only_once(kafka: str, letters: str) -> None:
    good, bad = await listed(kafka, letters)
    result = await run(kafka, letters, "retry", "--all")
    assert result.exit_code == 1
    assert f"sent {good['place']} to {letters}auth.response\n" in result.output
    assert (
        f"not sent {bad['place']}: it would become a dead letter again: unknown type, or none: nonsense\n"
        in result.output
    )
    assert [each["retried"] for each in await listed(kafka, letters)] == [1, 0]
    again = await run(kafka, letters, "retry", "--all")
    assert "sent " + good["place"] not in again.output.replace("not sent", "kept")
    (sent,) = await records(kafka, f"{letters}auth.response", partition_of(RECORDED.key, PARTITIONS))
    assert (sent.key, sent.value, list(sent.headers)) == (RECORDED.key, RECORDED.value, RECORDED.headers)


async def test_an_unknown_dead_letter_is_an_error(kafka: str, letters: str) -> None:
    for words in (["show", "nowhere/0/0"], ["retry", "nowhere/0/0"]):
        result = await run(kafka, letters, *words)
        assert result.exit_code == 1
        assert "there is no dead letter nowhere/0/0; `countersign dlq list` lists them" in result.output
    assert "name dead letters, or use --all" in (await run(kafka, letters, "retry")).output
    away = await run("127.0.0.1:1", letters, "list")
    assert away.exit_code == 1
    assert "Kafka cannot be reached at 127.0.0.1:1. Is it running?" in away.output


async def records(kafka: str, topic: str, partition: int) -> list[Any]:
    """Return the records of a partition."""
    place = TopicPartition(topic, partition)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    consumer.assign([place])
    await consumer.seek_to_beginning()
    found = []
    while await consumer.position(place) < (await consumer.end_offsets([place]))[place]:
        found.append(await consumer.getone())
    await consumer.stop()
    return found
