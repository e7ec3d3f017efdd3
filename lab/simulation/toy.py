"""A toy service whose rows remember all that was applied to them, so that a loss shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from schemas.base import Command, Message
from schemas.codec import TYPES, Event
from schemas.topics import Topic, TopicKind
from services.common.decisions import Decision, Row
from services.common.rows.table import Table

NUMBERS: Final = Topic("toy.numbers", TopicKind.COMMAND, "name", 3600)
LETTERS: Final = Topic("toy.letters", TopicKind.COMMAND, "name", 3600)
RESULTS: Final = Topic("toy.results", TopicKind.EVENT, "name", 3600)
RESULTS_OF_EACH: Final = 2
"""How many messages each number leads to."""
KEYS: Final = tuple(f"k{number}" for number in range(5))


class AddNumber(Command):
    """Adds to a row."""

    topic: ClassVar[Topic] = NUMBERS
    type: ClassVar[str] = "simulation.add_number.v1"
    name: str
    number: int

    @property
    def key(self) -> str:
        """The row's name."""
        return self.name


class AddLetter(AddNumber):
    """Adds to a row, by another topic."""

    topic: ClassVar[Topic] = LETTERS
    type: ClassVar[str] = "simulation.add_letter.v1"


class Added(Message):
    """Tells what was added, and what the row had before."""

    topic: ClassVar[Topic] = RESULTS
    type: ClassVar[str] = "simulation.added.v1"
    name: str
    number: int
    before: tuple[int, ...]

    @property
    def key(self) -> str:
        """The row's name."""
        return self.name


MESSAGES: Final = (AddNumber, AddLetter, Added)


@contextmanager
def known_messages() -> Iterator[None]:
    """Have the codec know the toy's messages, which are none of the product's."""
    TYPES.update({model.type: model for model in MESSAGES})
    try:
        yield
    finally:
        for model in MESSAGES:
            del TYPES[model.type]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersRow(Row):
    """A row of the toy.

    Attributes:
        numbers: All numbers that were added, in order.

    """

    numbers: tuple[int, ...] = ()


def decide(row: NumbersRow | None, event: Event[Message], _policy: object) -> Decision[NumbersRow]:
    """Add a number, and publish messages about it."""
    data = event.data
    if not isinstance(data, AddNumber):
        raise TypeError(data)
    before = row or NumbersRow()
    added = Added(name=data.name, number=data.number, before=before.numbers)
    return Decision(replace(before, numbers=(*before.numbers, data.number)), (added,) * RESULTS_OF_EACH)


TABLE: Final = Table("toy", "numbers", NumbersRow, decide, reads=(NUMBERS, LETTERS), writes=(Added,))
OLD_TABLE: Final = replace(TABLE, reads=(NUMBERS,))
"""The same in the release before, which reads one topic less."""
