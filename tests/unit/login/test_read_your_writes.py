"""The cookie with the version of the row that a browser saw last."""

from dataclasses import replace

import pytest

from services.login.web.read_your_writes import read_version, version_value
from tests.builders import an_account


def test_a_version_round_trips() -> None:
    account = replace(an_account(), account_id="a.b@c-d", version=17)
    assert read_version(version_value(account)) == ("a.b@c-d", 17)


@pytest.mark.parametrize(
    "value", ["", ".", "alex", "alex.", "alex.-1", "alex.1-", ".1", "alex.x", "alex.²", f"alex.{'9' * 40}"]
)
def test_a_malformed_version_is_ignored(value: str) -> None:
    assert read_version(value) is None
