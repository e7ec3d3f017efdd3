"""Seeding on a real Kafka creates only missing accounts, and refuses to run where it could do harm."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from lab.load.__main__ import app as load
from operations.deployment import CHANGELOGS
from operations.repartition.cluster import cluster, topic_partitions
from schemas.topics import LOGIN_COMMANDS
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.partitions import is_part
from services.common.rows.changelog import PartitionState, read_records
from services.login.tables import ACCOUNTS
from tests.broker import PARTITIONS
from tests.builders import present

SERVICE = """
import asyncio
from aiokafka import AIOKafkaConsumer

async def main():
    consumer = AIOKafkaConsumer("{prefix}{topic}", bootstrap_servers="{kafka}", group_id="{prefix}login")
    await consumer.start()
    print("there", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
PASSWORD = "correct horse battery"


def run(kafka: str, prefix: str, *words: str, standard_input: str = "") -> Result:
    """Run ``countersign``, or the seeding."""
    program = load if words[0] == "seed" else app
    return CliRunner().invoke(program, [*words, "--kafka", kafka, "--topic-prefix", prefix], input=standard_input)


def seed(kafka: str, prefix: str, secrets: Path, *words: str) -> Result:
    """Run ``python -m lab.load seed``."""
    keys = ("--secrets-directory", str(secrets), "--password-stdin")
    return run(kafka, prefix, "seed", *keys, *words, standard_input=f"{PASSWORD}\n")


def counts(kafka: str, prefix: str) -> dict[str, int]:
    """Return how many rows each changelog has that count."""
    return {name: sum(not is_part(key) for key in keys) for name, keys in asyncio.run(_keys(kafka, prefix)).items()}


async def _keys(kafka: str, prefix: str) -> dict[str, set[bytes]]:
    """Return the keys of the rows and parts that count, by changelog."""
    found = {}
    async with cluster(KafkaConnection(kafka), prefix) as connected:
        for topic in CHANGELOGS:
            found[topic.name] = set[bytes]()
            states = [PartitionState() for _ in range(PARTITIONS)]
            async for records in connected.records(f"{prefix}{topic.name}", PARTITIONS):
                partition = records[0].partition
                changes = read_records(states[partition], partition, PARTITIONS, records)
                states[partition] = changes.state
                found[topic.name].update(changes.rows)
    return found


def accounts_keys(kafka: str, prefix: str) -> int:
    """Return how many rows and parts the accounts' changelog has."""
    return len(asyncio.run(_keys(kafka, prefix))[ACCOUNTS.changelog.name])


async def records(kafka: str, prefix: str) -> int:
    """Return how many records the accounts' changelog has, marks included."""
    async with cluster(KafkaConnection(kafka), prefix) as connected:
        ranges = await connected.offset_ranges(topic_partitions(f"{prefix}{ACCOUNTS.changelog.name}", PARTITIONS))
    return sum(each.end for each in ranges.values())


@pytest.fixture
def running_service(kafka: str, topics: str) -> Iterator[None]:
    """Simulate a running login service: its consumer group has a member."""
    code = SERVICE.format(kafka=kafka, prefix=topics, topic=LOGIN_COMMANDS.name)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as service:
        assert present(service.stdout).readline() == b"there\n"
        yield
        service.kill()


def test_running_it_again_makes_only_what_is_missing(kafka: str, topics: str, tmp_path: Path) -> None:
    made = seed(kafka, topics, tmp_path, "--accounts", "120", "--phones", "4")
    assert made.exit_code == 0, made.stderr
    assert made.stdout.endswith("120 accounts are there, 4 of them with a phone.\n")
    assert "Making accounts and phones: 120 of 120, 100 %" in made.stderr
    there = counts(kafka, topics)
    assert there == {
        "login-accounts-changelog": 120,
        "login-names-changelog": 120,
        "login-guesses-changelog": 0,
        "pairing-requesters-changelog": 4,
        "pairing-phrases-changelog": 4,
        "push-channels-changelog": 4,
    }
    written, keys = asyncio.run(records(kafka, topics)), accounts_keys(kafka, topics)
    assert written == keys + PARTITIONS, "each row and part is written once"
    assert seed(kafka, topics, tmp_path, "--accounts", "120", "--phones", "4").exit_code == 0
    assert asyncio.run(records(kafka, topics)) == written
    assert seed(kafka, topics, tmp_path, "--accounts", "125", "--phones", "6").exit_code == 0
    more = accounts_keys(kafka, topics) - keys
    assert asyncio.run(records(kafka, topics)) == written + PARTITIONS + more + 2, "two accounts have a phone now"
    assert counts(kafka, topics)[ACCOUNTS.changelog.name] == 125

    output = run(kafka, topics, "accounts", "list", "--json", "--secrets-directory", str(tmp_path)).stdout
    listed = json.loads(output[output.index("[\n") :])  # in tests, logs come before it
    assert [account["name"] for account in listed] == [f"seed-{number:07}" for number in range(125)]
    assert [len(account["phones"]) for account in listed] == [1] * 6 + [0] * 119


def test_existing_accounts_are_kept_unless_forced(kafka: str, topics: str, tmp_path: Path) -> None:
    few = ("--accounts", "1", "--phones", "0")
    assert seed(kafka, topics, tmp_path, *few, "--names", "alex-").exit_code == 0
    refused = seed(kafka, topics, tmp_path, *few)
    assert refused.exit_code == 1
    assert "another account, alex-0000000" in refused.stderr
    assert "--beside-others" in refused.stderr
    assert counts(kafka, topics)[ACCOUNTS.changelog.name] == 1
    assert seed(kafka, topics, tmp_path, *few, "--beside-others").exit_code == 0
    assert counts(kafka, topics)[ACCOUNTS.changelog.name] == 2


@pytest.mark.usefixtures("running_service")
def test_nothing_is_written_while_a_service_runs(kafka: str, topics: str, tmp_path: Path) -> None:
    refused = seed(kafka, topics, tmp_path)
    assert refused.exit_code == 1
    assert "The login service runs. Stop the services" in refused.stderr
    assert counts(kafka, topics)[ACCOUNTS.changelog.name] == 0
