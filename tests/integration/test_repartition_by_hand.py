"""Partitions that another tool added: the repartition moves the rows, and never leaves unmoved rows unnoticed."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from typer.testing import CliRunner, Result

from cli.__main__ import app
from operations.deployment import ALL, CHANGELOGS
from operations.repartition.changelog_rows import ChangelogRows
from operations.repartition.cluster import Cluster, cluster
from operations.repartition.owner import ChangelogOwner, NotOwnerError, read_states
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.partitions import partition_of
from services.common.rows.changelog import PartitionState
from services.common.rows.fence import Stamp
from services.login.tables import ACCOUNTS
from tests.broker import PARTITIONS
from tests.polling import DEADLINE_SECONDS, POLL_SECONDS

KEYS = tuple(f"person-{number}".encode() for number in range(20))
ROW = b'{"version":1}'
OLD_TERM = 40


async def run(kafka: str, prefix: str, partitions: int) -> Result:
    """Run `countersign topics repartition` in a thread, since it has its own event loop."""
    words = ["topics", "repartition", "--yes", "--kafka", kafka, "--topic-prefix", prefix, f"--partitions={partitions}"]
    return await asyncio.to_thread(CliRunner().invoke, app, words)


async def add_partitions(kafka: str, names: list[str], partitions: int) -> None:
    """Add partitions like Kafka's own tools, and wait until the broker tells of them.

    The controller answers when it has written them down; a broker learns of them a moment later.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_partitions({name: NewPartitions(partitions) for name in names})
        deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
        while {len(topic["partitions"]) for topic in await admin.describe_topics(names)} != {partitions}:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(POLL_SECONDS)
    finally:
        await admin.close()


async def written_and_placed(connected: Cluster, changelog: str, partitions: int) -> tuple[dict[bytes, int], set[int]]:
    """Return the partition of each key that has a row which counts in one partition, and the partitions' terms."""
    with ChangelogRows(partitions) as rows:
        async for records in connected.records(changelog, partitions):
            rows.apply(records[0].partition, records)
        found = [*rows.placements(partitions, partitions)]
        assert not [each for each in found if each.value != ROW or not each.in_target or each.leftovers]
        return {each.key: each.target for each in found}, {state.fence.term for state in rows.states.values()}


async def test_rows_move_after_another_tool_added_partitions(kafka: str, topics: str) -> None:
    changelog = f"{topics}{ACCOUNTS.changelog.name}"
    async with cluster(KafkaConnection(kafka), topics) as connected:
        header = Stamp(OLD_TERM, "o" * 22).header()
        await connected.write(changelog, [(partition_of(key, PARTITIONS), key, ROW, [header]) for key in KEYS])

    everything = [topics + topic.name for topic in ALL]
    await add_partitions(kafka, everything, PARTITIONS + 1)
    refused = await run(kafka, topics, PARTITIONS + 1)
    advice = f"--partitions {PARTITIONS + 2} moves the rows. Nothing was changed."
    assert (refused.exit_code, advice in refused.stderr) == (1, True)

    await add_partitions(kafka, [name for name in everything if not name.endswith("-changelog")], PARTITIONS + 2)
    refused = await run(kafka, topics, PARTITIONS + 2)
    assert (
        refused.exit_code,
        f"but the changelogs {PARTITIONS + 2}; choose {PARTITIONS + 3} or more" in refused.stderr,
    ) == (1, True)

    done = await run(kafka, topics, PARTITIONS + 3)
    assert (done.exit_code, done.stderr) == (0, "")
    async with cluster(KafkaConnection(kafka), topics) as connected:
        places, terms = await written_and_placed(connected, changelog, PARTITIONS + 3)
    assert places == {key: partition_of(key, PARTITIONS + 3) for key in KEYS}
    assert terms == {1, OLD_TERM + 1}, "a moved row must not carry its former partition's term"

    again = await run(kafka, topics, PARTITIONS + 3)
    assert again.exit_code == 0
    assert f"{changelog}: 0 of {len(KEYS)} rows to move\n" in again.output
    assert again.output.count("rows to move") == len(CHANGELOGS)


async def test_a_tool_notices_that_another_owner_stands(kafka: str, topics: str) -> None:
    changelog = f"{topics}{ACCOUNTS.changelog.name}"
    nothing_read = dict.fromkeys(range(PARTITIONS), PartitionState())
    key = KEYS[0]
    place = partition_of(key, PARTITIONS)
    async with cluster(KafkaConnection(kafka), topics) as connected:
        await connected.write(changelog, [(place, key, ROW, [Stamp(OLD_TERM, "o" * 22).header()])])
        with pytest.raises(NotOwnerError):
            await ChangelogOwner.begin(connected, changelog, nothing_read)
        states = await read_states(connected, changelog, nothing_read)
        owner = await ChangelogOwner.begin(connected, changelog, states)
        assert owner.place(key) == (place, owner.stamps[place])
        assert owner.stamps[place].term == OLD_TERM + 1
        await owner.write(connected, [(place, key, None)])
        await owner.require_standing(connected)
        await connected.write(changelog, [(place, key, ROW, [Stamp(OLD_TERM + 2, "p" * 22).header()])])
        with pytest.raises(NotOwnerError, match=changelog):
            await owner.require_standing(connected)
