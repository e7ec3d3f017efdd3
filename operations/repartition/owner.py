"""A tool as the owner of a changelog while its service is stopped: what it writes counts, by a term of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from operations.repartition.cluster import Cluster
from services.common.clock import new_id
from services.common.kafka.partitions import partition_of
from services.common.rows.changelog import PartitionState, read_records
from services.common.rows.fence import Stamp, mark


class NotOwnerError(Exception):
    """Another owner stands in a changelog, so rows that this one writes do not count. The text names the changelog."""


@dataclass(slots=True)
class ChangelogOwner:
    """Owns all partitions of a changelog.

    Attributes:
        topic: The changelog's full name.
        stamps: What its records carry, by partition.

    """

    topic: str
    stamps: Mapping[int, Stamp]
    _states: dict[int, PartitionState] = field(repr=False)

    @classmethod
    async def begin(cls, cluster: Cluster, topic: str, states: Mapping[int, PartitionState]) -> Self:
        """Write a mark in each partition, and read it back.

        Args:
            cluster: The connection to Kafka.
            topic: The changelog's full name.
            states: How far each of its partitions has been read.

        Raises:
            NotOwnerError: If another mark stands.

        """
        owner_id: Final = new_id()
        stamps = {partition: state.fence.next_stamp(owner_id) for partition, state in states.items()}
        owner = cls(topic, stamps, dict(states))
        await cluster.write(topic, [(each, *mark(stamp), [stamp.header()]) for each, stamp in stamps.items()])
        await owner.require_standing(cluster)
        return owner

    async def require_standing(self, cluster: Cluster) -> None:
        """Check that all it has written so far counts.

        Raises:
            NotOwnerError: If another owner stands in a partition.

        """
        self._states = await read_states(cluster, self.topic, self._states)
        if not all(self._states[each].fence.stands(stamp) for each, stamp in self.stamps.items()):
            text = f"another program writes to {self.topic}"
            raise NotOwnerError(text)

    async def write(self, cluster: Cluster, records: Sequence[tuple[int, bytes, bytes | None]]) -> None:
        """Write rows and tombstones, each (partition, key, value), and wait until all in-sync replicas have them."""
        await cluster.write(self.topic, [(each, key, row, [self.stamps[each].header()]) for each, key, row in records])

    def place(self, key: bytes) -> tuple[int, Stamp]:
        """Return a key's partition, and the stamp of records there."""
        partition = partition_of(key, len(self.stamps))
        return partition, self.stamps[partition]


async def read_states(cluster: Cluster, topic: str, states: Mapping[int, PartitionState]) -> dict[int, PartitionState]:
    """Read a changelog on to its end, and return what stands in each partition then.

    Args:
        cluster: The connection to Kafka.
        topic: The changelog's full name.
        states: How far each of its partitions has been read.

    """
    found = dict(states)
    starts = {partition: state.offset for partition, state in states.items() if state.offset}
    async for records in cluster.records(topic, len(states), starts):
        partition = records[0].partition
        found[partition] = read_records(found[partition], partition, None, records).state
    return found
