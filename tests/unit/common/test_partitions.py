"""A key has one partition, and an instance with another number of partitions refuses to serve."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.deployment import ALL
from services.common.kafka.partitions import (
    PartitionsError,
    is_misrouted,
    part_key,
    partition_of,
    require_partitions,
    row_key,
)

JAVA_HASHES = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""From Apache Kafka's own test of its hash (UtilsTest.testMurmur2)."""
NAMES = [f"x.{topic.name}" for topic in ALL]


@pytest.mark.parametrize("partitions", [1, 4, 7, 1000])
def test_a_key_has_the_partition_of_kafkas_own_clients(partitions: int) -> None:
    expected = {key: (value & 0x7FFFFFFF) % partitions for key, value in JAVA_HASHES.items()}
    assert {key: partition_of(key, partitions) for key in JAVA_HASHES} == expected


def test_a_record_is_misrouted_in_every_partition_but_its_keys() -> None:
    partition = partition_of(b"alex", 7)
    assert [each for each in range(7) if not is_misrouted(b"alex", each, 7)] == [partition]
    assert not is_misrouted(None, 3, 7)


def counts(partitions: int) -> dict[str, int]:
    """Return topics with this number of partitions, and unrelated topics."""
    return dict.fromkeys(NAMES, partitions) | {"other": 99, "y.auth.challenge": 1}


def test_topics_with_the_expected_number_are_accepted() -> None:
    require_partitions(counts(4), NAMES, 4)
    require_partitions({}, NAMES, 4)
    require_partitions({NAMES[0]: 4}, NAMES, 4)


def test_another_number_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(PartitionsError, match=r"^the topics have 7 partitions, but this instance is set to 4; .*$"):
        require_partitions(counts(7), NAMES, 4)


@pytest.mark.parametrize("expected", [4, 7])
def test_during_a_repartition_no_instance_serves(expected: int) -> None:
    found = counts(4) | {NAMES[-1]: 7}
    with pytest.raises(PartitionsError, match=r"have 4 to 7 partitions; .* --partitions 7` finishes"):
        require_partitions(found, NAMES, expected)


@given(
    st.binary(min_size=1).filter(lambda key: not key.startswith(b"\x01") and b"\0" not in key),
    st.text(),
    st.integers(1, 64),
)
def test_a_part_lies_in_the_partition_of_its_row(key: bytes, name: str, partitions: int) -> None:
    part = part_key(key, name)
    assert row_key(part) == row_key(key) == key
    assert partition_of(part, partitions) == partition_of(key, partitions)
    assert part < b"\x02"
