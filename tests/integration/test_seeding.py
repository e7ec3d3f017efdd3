"""Seeding makes what is missing and nothing twice, on the real Kafka, and only where it does no harm."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import ACCOUNTS_CHANGELOG, CHANGELOGS, LOGIN_COMMANDS
from tests.broker import PARTITIONS

PASSWORD = "correct horse battery"


async def run(kafka: str, prefix: str, *words: str, standard_input: str = "") -> tuple[int, str, str]:
    """Run ``countersign``; return its status, what it said, and what it said on standard error."""
    command = [sys.executable, "-m", "cli", *words, "--kafka", kafka, "--topic-prefix", prefix]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    said, complained = await process.communicate(standard_input.encode())
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


async def seed(kafka: str, prefix: str, secrets: Path, *words: str) -> tuple[int, str, str]:
    """Run ``countersign seed``."""
    keys = ("--secrets-directory", str(secrets), "--password-stdin")
    return await run(kafka, prefix, "seed", *keys, *words, standard_input=f"{PASSWORD}\n")


async def counts(kafka: str, prefix: str) -> dict[str, int]:
    """Return how many records each changelog has."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    found = {}
    for topic in CHANGELOGS:
        partitions = [TopicPartition(f"{prefix}{topic.name}", number) for number in range(PARTITIONS)]
        found[topic.name] = sum((await consumer.end_offsets(partitions)).values())
    await consumer.stop()
    return found


@asynccontextmanager
async def a_running_service(kafka: str, prefix: str) -> AsyncIterator[None]:
    """Play a login service that runs: somebody is in its consumer group."""
    consumer = AIOKafkaConsumer(f"{prefix}{LOGIN_COMMANDS.name}", bootstrap_servers=kafka, group_id=f"{prefix}login")
    await consumer.start()
    try:
        yield
    finally:
        await consumer.stop()


async def test_running_it_again_makes_only_what_is_missing(kafka: str, topics: str, tmp_path: Path) -> None:
    status, said, complained = await seed(kafka, topics, tmp_path, "--accounts", "120", "--phones", "4")
    assert (status, said) == (0, "120 accounts are there, 4 of them with a phone.\n"), complained
    assert "Making accounts and phones: 120 of 120, 100 %" in complained
    made = await counts(kafka, topics)
    assert made == {
        "login-accounts-changelog": 120,
        "login-guesses-changelog": 0,
        "pairing-requesters-changelog": 4,
        "pairing-phrases-changelog": 4,
        "push-channels-changelog": 4,
    }
    assert (await seed(kafka, topics, tmp_path, "--accounts", "120", "--phones", "4"))[0] == 0
    assert await counts(kafka, topics) == made
    assert (await seed(kafka, topics, tmp_path, "--accounts", "125", "--phones", "6"))[0] == 0
    assert (await counts(kafka, topics))[ACCOUNTS_CHANGELOG.name] == 120 + 5 + 2

    status, said, complained = await run(kafka, topics, "accounts", "list", "--json")
    listed = json.loads(said)
    assert [account["account_id"] for account in listed] == [f"seed-{number:07}" for number in range(125)], complained
    assert [len(account["phones"]) for account in listed] == [1] * 6 + [0] * 119


async def test_other_peoples_accounts_are_left_alone_unless_told(kafka: str, topics: str, tmp_path: Path) -> None:
    assert (await seed(kafka, topics, tmp_path, "--accounts", "1", "--phones", "0", "--names", "alex-"))[0] == 0
    few = ("--accounts", "2", "--phones", "0")
    status, said, complained = await seed(kafka, topics, tmp_path, *few)
    assert (status, said) == (1, "")
    assert "another account, alex-0000000" in complained
    assert "--beside-others" in complained
    assert (await counts(kafka, topics))[ACCOUNTS_CHANGELOG.name] == 1
    assert (await seed(kafka, topics, tmp_path, *few, "--beside-others"))[0] == 0
    assert (await counts(kafka, topics))[ACCOUNTS_CHANGELOG.name] == 3


async def test_nothing_is_written_while_a_service_runs(kafka: str, topics: str, tmp_path: Path) -> None:
    async with a_running_service(kafka, topics):
        status, _said, complained = await seed(kafka, topics, tmp_path)
    assert status == 1
    assert "The login service runs. Stop the services" in complained
    assert (await counts(kafka, topics))[ACCOUNTS_CHANGELOG.name] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--accounts", "2", "--phones", "3"), "more phones than accounts"),
        (("--names", "Large "), "a name has small letters"),
    ],
)
async def test_what_cannot_be_is_told(kafka: str, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    status, _said, complained = await seed(kafka, "", tmp_path, *words)
    assert status == 1
    assert said in complained


async def test_an_unreachable_kafka_is_told(tmp_path: Path) -> None:
    status, _said, complained = await seed("127.0.0.1:1", "", tmp_path)
    assert status == 1
    assert "Kafka cannot be reached at 127.0.0.1:1" in complained
