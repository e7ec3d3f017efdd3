"""A sweep checks a bounded number of rows, and the next one continues there."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

import pytest

from schemas.base import Message
from schemas.login_messages import ForgetGuesses
from services.common.decisions import Row
from services.common.kafka.publisher import Publisher
from services.common.rows import sweep
from services.common.rows.sweep import Sweeper
from services.common.rows.table import Sweep
from services.common.rows.view import View


class Rows:
    """Rows in the order of their keys, which record the rows read."""

    def __init__(self, count: int) -> None:
        self.keys = [f"{number:043}" for number in range(count)]
        self.checked: list[str] = []

    def items(self, after: str = "") -> Iterator[tuple[str, Row]]:
        for key in self.keys:
            if key > after:
                self.checked.append(key)
                yield key, Row(version=int(key))


class Commands:
    """Records commands."""

    def __init__(self) -> None:
        self.given: list[str] = []

    async def publish_command(self, message: Message) -> str:
        self.given.append(message.key)
        return "event"


def a_sweeper(rows: Rows, commands: Commands, *, batch_size: int = 100) -> Sweeper[Any]:
    """Return a sweeper that forgets every second row."""

    def forget(row: Row, at: datetime, _policy: None) -> ForgetGuesses | None:
        return None if row.version % 2 else ForgetGuesses(source=f"{row.version:043}", at=at)

    view, publisher = cast("View[Row]", rows), cast("Publisher", commands)
    return Sweeper("rows", Sweep(forget, batch_size), view, None, publisher)


async def test_rounds_go_on_from_each_other_and_begin_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "ROUND_ROWS", 4)
    rows, commands = Rows(10), Commands()
    sweeper = a_sweeper(rows, commands)
    assert [await sweeper.sweep() for _ in range(4)] == [2, 2, 1, 2]
    assert rows.checked == [*rows.keys, *rows.keys[:4]]
    assert commands.given == [*rows.keys[::2], *rows.keys[:4:2]]


async def test_a_round_gives_a_bounded_number_of_commands() -> None:
    rows, commands = Rows(10), Commands()
    sweeper = a_sweeper(rows, commands, batch_size=3)
    assert [await sweeper.sweep(), await sweeper.sweep()] == [3, 2]
    assert commands.given == rows.keys[::2]
