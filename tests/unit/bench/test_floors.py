"""A login's floor is the sum of its parts, each as fast as it is alone."""

from dataclasses import replace

import pytest

from lab.bench.floors import measure_cryptography
from tests.unit.bench.builders import FLOOR_COUNTS, some_floors


def test_a_login_alone_takes_its_parts_one_after_the_other() -> None:
    floor = some_floors().floor(1, FLOOR_COUNTS)
    assert floor.p50_ms == pytest.approx(5 * 1 + 10 * 0.1 + 2)
    assert floor.per_second == pytest.approx(1000 / 8)
    assert floor.cpu_ms == pytest.approx(5 * (0.5 + 7) + 10 * 0.05 + 2), "the producer counts, the asking client not"


def test_many_logins_share_the_cores() -> None:
    floor = some_floors().floor(4, FLOOR_COUNTS)
    assert floor.p50_ms == pytest.approx(5 * 1 + 10 * 0.1 + 2 * 4 / 2)
    assert floor.per_second == pytest.approx(1000 / (5 + 1 + 2 / 2))


def test_the_hash_is_part_of_a_login_with_it() -> None:
    floor = some_floors().floor(1, replace(FLOOR_COUNTS, hashes=1))
    assert floor.p50_ms == pytest.approx(38)


def test_cryptography_takes_time_and_the_hash_the_most() -> None:
    found = measure_cryptography()
    assert 0 < found.sign_ms < found.hash_ms
    assert 0 < found.verify_ms < found.hash_ms
