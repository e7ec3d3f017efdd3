"""The partition of a key, and the check of the topics' number of partitions.

Kafka's default partitioner computes a key's partition from a hash and the number of partitions. The owner of that
partition decides the key's events and keeps its row. When the number grows, `countersign topics repartition` moves
rows to their new partitions. Rows that remain in other partitions are ignored (docs/adr/0024).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from aiokafka.partitioner import DefaultPartitioner

_PARTITIONER: Final = DefaultPartitioner()
PART: Final = b"\x01"
"""What the key of a part of a row begins with (docs/adr/0033-parts-of-rows.md)."""
_PART_NAME: Final = b"\x00"


class PartitionsError(Exception):
    """The topics have another number of partitions than expected. The text says what to do."""


def partition_of(key: bytes, partitions: int) -> int:
    """Return a key's partition by Kafka's default partitioner (murmur2), given the number of partitions.

    A part of a row lies in the row's partition.
    """
    partition: int = _PARTITIONER(row_key(key), range(partitions), ())
    return partition


def part_key(key: bytes, name: str) -> bytes:
    """Return the key of a part of a row: parts come before all rows in the order of keys, those of a row together."""
    return PART + key + _PART_NAME + name.encode()


def is_part(key: bytes) -> bool:
    """Return whether a key is that of a part of a row."""
    return key.startswith(PART)


def row_key(key: bytes) -> bytes:
    """Return the key of the row that a key is of: its own, or that of the row of which it is a part."""
    return key[len(PART) :].partition(_PART_NAME)[0] if is_part(key) else key


def is_misrouted(key: bytes | None, partition: int, partitions: int) -> bool:
    """Return whether a record lies in another partition than its key's; a record without a key never does."""
    return key is not None and partition_of(key, partitions) != partition


def common_count(found: Mapping[str, int], names: Iterable[str]) -> int | None:
    """Return the number of partitions that some topics share, or None if none of them exists.

    Args:
        found: The number of partitions of each topic in Kafka, by its full name.
        names: The topics' full names; missing topics are ignored.

    Raises:
        PartitionsError: If the numbers differ: a repartition has not finished.

    """
    counts = {found[name] for name in names if name in found}
    if len(counts) > 1:
        text = (
            f"the topics have {min(counts)} to {max(counts)} partitions; "
            f"`countersign topics repartition --partitions {max(counts)}` finishes the repartition"
        )
        raise PartitionsError(text)
    return next(iter(counts), None)


def require_partitions(found: Mapping[str, int], names: Iterable[str], expected: int) -> None:
    """Check that topics have the expected number of partitions; missing topics are ignored.

    Args:
        found: The number of partitions of each topic in Kafka, by its full name.
        names: The topics' full names.
        expected: The number that each of them should have.

    Raises:
        PartitionsError: If a topic has another number. An instance would then look for rows in the wrong partitions.

    """
    count = common_count(found, names)
    if count is not None and count != expected:
        text = (
            f"the topics have {count} partitions, but this instance is set to {expected}; start all services with "
            f"--partitions {count}, or change the topics first: countersign topics repartition"
        )
        raise PartitionsError(text)
