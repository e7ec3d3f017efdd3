"""For any honest history, crash and compaction, an audit reports exactly the attacker's records."""

import random

from hypothesis import given
from hypothesis import strategies as st

from operations.audit.bound_table import BoundTable
from operations.audit.report import Checked, Unchecked
from schemas.base import Message
from schemas.codec import Event
from tests.unit.audit.history import RecordedWorld, a_story
from tests.unit.flow.day import BEGINNINGS, MISCHIEF
from tests.unit.flow.people import People, choose
from tests.unit.flow.script import Action, act, scripts
from tests.unit.flow.villain import Villain
from tests.unit.flow.world import TABLES

courses = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 4)), max_size=40)
mischiefs = st.lists(st.tuples(*[st.integers(0, 6)] * 4), min_size=1, max_size=6)


def lived(script: list[Action], course: list[tuple[int, int]]) -> RecordedWorld:
    """Return the history of people whose services crashed and re-read events at times."""
    world = RecordedWorld()
    people = People(world)
    for action in script:
        act(people, action)
        for number, what in course[:3]:
            if what == 0:
                world.rewind(choose(world.places(), number) or world.places()[0], 2)
            elif place := choose(world.waiting(), number):
                move = world.crash if what == 1 else world.step
                move(place)
        del course[:3]
        if not course:
            world.settle()
    return world


@given(scripts, courses)
def test_nothing_is_named_whoever_crashes_whenever(script: list[Action], course: list[tuple[int, int]]) -> None:
    report = lived(script, course).audit()
    assert report.findings == []
    assert set(report.unchecked) <= {Unchecked.PENDING}


@given(scripts, courses, st.randoms(use_true_random=False))
def test_nothing_is_named_whatever_was_compacted(
    script: list[Action], course: list[tuple[int, int]], dice: random.Random
) -> None:
    world = lived(script, course)
    for table in TABLES[:-1]:
        compact(world, table, dice)
    report = world.audit()
    assert report.findings == []


@given(scripts, mischiefs)
def test_all_that_a_villain_published_is_named_and_nothing_else(
    script: list[Action], mischief: list[tuple[int, int, int, int]]
) -> None:
    world = RecordedWorld()
    people = People(world)
    for action in [*BEGINNINGS[0], *script]:
        world.settle()
        act(people, action)
    world.settle()
    villain, forged = Villain(people), list[Event[Message]]()
    for what, *numbers in mischief:
        before = len(world.log)
        MISCHIEF[what % len(MISCHIEF)](villain, *numbers)
        forged += world.log[before:]
    world.settle()
    named = {(each.type, each.place) for each in world.audit().findings}
    places = {
        (event.data.type, f"{topic}/{record.partition}/{record.offset}")
        for event in forged
        for topic, records in world.records.items()
        for record in records
        if topic == event.data.topic.name and record.event().id == event.id
    }
    assert named == places


def compact(world: RecordedWorld, table: BoundTable, dice: random.Random) -> None:
    """Compact a changelog up to a random record, like Kafka."""
    rows = world.records.get(table.changelog.name, [])
    clean = dice.randint(0, len(rows))
    newest = {each.key: each for each in rows[:clean]}
    for row in rows[:clean]:
        if newest[row.key] is not row:
            world.drop(row)


def test_a_row_is_followed_over_those_that_were_compacted() -> None:
    world = a_story().world
    for table in TABLES[:-1]:
        compact(world, table, random.Random(1))  # noqa: S311 - which ones, does not matter
    report = world.audit()
    assert report.findings == []
    assert report.checked[Checked.ROW] > 0
