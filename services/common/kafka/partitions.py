"""Which partition is a key's home, and whether the topics have as many partitions as an instance was told.

Kafka's default partitioner gives a key its partition by a hash and the number of partitions. That partition is the
key's home: its owner decides the key's events and keeps its row. When the number grows, `countersign topics
repartition` brings rows to their new homes; what is left elsewhere means nothing any more (docs/adr/0024).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from aiokafka.partitioner import DefaultPartitioner

_PARTITIONER: Final = DefaultPartitioner()


class PartitionsError(Exception):
    """The topics have another number of partitions than an instance was told. The text says what to do."""


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition that a key's records belong to, as Kafka's default partitioner has it (murmur2).

    Args:
        key: The records' key.
        partitions: How many partitions the topic has.

    """
    home: int = _PARTITIONER(key, range(partitions), ())
    return home


def is_misrouted(key: bytes | None, partition: int, partitions: int) -> bool:
    """Tell whether a record lies in a partition that is not its key's home; one without a key has none."""
    return key is not None and partition_of(key, partitions) != partition


def common_count(found: Mapping[str, int], names: Iterable[str]) -> int | None:
    """Return how many partitions some topics have, None where there are no topics yet.

    Args:
        found: How many partitions each topic of the Kafka has, by its full name.
        names: The full names of the topics; those that are not there yet count for nothing.

    Raises:
        PartitionsError: If they do not all have the same number: rows may be on their way then.

    """
    counts = {found[name] for name in names if name in found}
    if len(counts) > 1:
        text = (
            f"the topics have {min(counts)} to {max(counts)} partitions; "
            f"`countersign topics repartition --partitions {max(counts)}` finishes what was begun"
        )
        raise PartitionsError(text)
    return next(iter(counts), None)


def require_partitions(found: Mapping[str, int], names: Iterable[str], expected: int) -> None:
    """Refuse topics with another number of partitions than expected; those that are not there yet have none.

    Args:
        found: How many partitions each topic of the Kafka has, by its full name.
        names: The full names of the topics.
        expected: How many each of them should have.

    Raises:
        PartitionsError: If one has another number. An instance would then look for rows where they are not.

    """
    count = common_count(found, names)
    if count is not None and count != expected:
        text = (
            f"the topics have {count} partitions and this instance was told {expected}; start all services with "
            f"{count}, or change the topics first: countersign topics repartition"
        )
        raise PartitionsError(text)
