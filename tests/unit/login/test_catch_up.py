"""What a browser brings along of what it has seen."""

from dataclasses import replace

import pytest

from services.login.web.read_your_writes import read_seen, seen_value
from tests.builders import an_account


def test_what_a_browser_has_seen_is_read_as_it_was_written() -> None:
    account = replace(an_account(), account_id="a.b@c-d", epoch=3, version=17)
    assert read_seen(seen_value(account)) == ("a.b@c-d", 3, 17)


@pytest.mark.parametrize(
    "value", ["", ".", "alex", "alex.1", "alex.-1", "alex.1-", ".1-1", "alex.x-1", f"alex.{'9' * 40}-1"]
)
def test_what_makes_no_sense_is_passed_over(value: str) -> None:
    assert read_seen(value) is None
