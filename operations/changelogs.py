"""Which records of a changelog count, for tools that look at each of them."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from services.common.kafka.log import LogRecord
from services.common.kafka.partitions import is_part
from services.common.rows.changelog import PartitionState, read_records

RecordT = TypeVar("RecordT", bound=LogRecord)


def judge_records(records: Iterable[RecordT], partition: int, partitions: int | None) -> Iterator[tuple[RecordT, bool]]:
    """Judge the records of one partition as each copy of the rows does (`services.common.rows.changelog`).

    Args:
        records: All its records, in order.
        partition: The partition.
        partitions: How many the topic has; None to judge what a repartition left behind as well.

    Yields:
        Each record, and whether it is a row or a tombstone that counts; marks and parts of rows are neither.

    """
    state = PartitionState()
    for record in records:
        changes = read_records(state, partition, partitions, [record])
        state = changes.state
        yield record, any(not is_part(key) for key in changes.rows)
