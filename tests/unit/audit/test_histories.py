"""For any honest history, crash and compaction, an audit reports exactly the attacker's records."""

import random

from hypothesis import settings

from operations.audit.bound_table import BoundTable
from operations.audit.report import Checked, Unchecked
from tests.builders import a_digest
from tests.model.attacker import ForgedAnswers, ForgedPairings
from tests.model.faults import Faults
from tests.model.machine import WORDS, ChallengeHandle, LoginHandle
from tests.model.memory_kafka import CHANGELOGS, PHRASES
from tests.model.people import People
from tests.model.sessions import Moments
from tests.unit.audit.history import RecordedPeople, RecordedWorld, a_story


class HonestHistory(Faults, RecordedPeople, Moments):
    """Nothing is named, whatever crashes and whatever is compacted."""

    def type_phrase(self, login: LoginHandle, words: str = WORDS[0]) -> ChallengeHandle:
        """Type none but a phrase that some phone showed.

        What was unknown once may be known when a request for it comes again: no row remembers that it was unknown.
        """
        known = self.kafka.row(PHRASES, a_digest(words)) is not None
        return super().type_phrase(login, words) if known else ChallengeHandle(self, "none")

    def teardown(self) -> None:
        """Audit what is there; some of it may be undecided yet. Then audit again what Kafka leaves of it."""
        world = recorded(self)
        report = world.audit()
        assert report.findings == []
        assert set(report.unchecked) <= {Unchecked.PENDING}
        dice = random.Random(len(world.log))  # noqa: S311 - which rows are left, is to be the same in every run
        for table in CHANGELOGS.values():
            compact(world, table, dice)
        assert world.audit().findings == []
        super().teardown()


class HostileHistory(ForgedAnswers, ForgedPairings, RecordedPeople, Moments):
    """All that an attacker published is named, and nothing else."""

    def teardown(self) -> None:
        """Audit, and compare with what was forged."""
        world, forged = recorded(self), {event.id for event in self.forged}
        named = {(each.type, each.place) for each in world.audit().findings}
        places = {
            (event.data.type, f"{event.data.topic.name}/{record.partition}/{record.offset}")
            for event in self.forged
            for record in world.records[event.data.topic.name]
            if record.event().id in forged and record.event().id == event.id
        }
        assert named == places
        super().teardown()


TestHonestHistory = HonestHistory.TestCase
TestHostileHistory = HostileHistory.TestCase
TestHonestHistory.settings = TestHostileHistory.settings = settings(max_examples=settings().max_examples // 3)


def recorded(people: People) -> RecordedWorld:
    """Return the history of people that is recorded."""
    assert isinstance(people.kafka, RecordedWorld)
    return people.kafka


def compact(world: RecordedWorld, table: BoundTable, dice: random.Random) -> None:
    """Let go of rows that newer ones replaced, up to some moment, as Kafka does."""
    rows = world.records.get(table.changelog.name, [])
    clean = dice.randint(0, len(rows))
    newest = {each.key: each for each in rows[:clean]}
    for row in rows[:clean]:
        if newest[row.key] is not row:
            world.drop(row)


def test_a_row_is_followed_over_those_that_were_compacted() -> None:
    world = a_story().world
    for table in CHANGELOGS.values():
        compact(world, table, random.Random(1))  # noqa: S311 - which ones, does not matter
    report = world.audit()
    assert report.findings == []
    assert report.checked[Checked.ROW] > 0
