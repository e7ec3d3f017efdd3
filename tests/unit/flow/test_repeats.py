"""Kafka delivers at least once, and instances die at the worst moment: what is decided stays the same."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.contract import Verdict
from schemas.topics import AUTH_RESPONSE, LOGIN_COMMANDS, PUSH_COMMANDS
from services.common.decisions import Decision, decide_once
from tests.unit.flow.invariants import check_pairings, check_phones
from tests.unit.flow.people import NAMES, PHONES, People, choose
from tests.unit.flow.script import PAIRING, Action, act, act_with_repeats, repeats_between, scripts
from tests.unit.flow.world import ACCOUNTS, CHANNELS, TABLES, Place, World


def _rows(world: World) -> dict[tuple[str, str], Any]:
    """Return all rows but for how often they were written."""
    return {(table.name, key): replace(row, version=0) for table in TABLES for key, row in world.rows(table).items()}


@given(scripts)
def test_phones_ask_for_what_waits_and_for_nothing_else(script: list[Action]) -> None:
    people = People(World())
    for action in script:
        people.world.settle()
        check_phones(people.world)
        check_pairings(people.world)
        act(people, action)


@given(scripts)
def test_a_repeated_event_changes_nothing_and_leads_to_the_same_or_to_nothing(script: list[Action]) -> None:
    world = act_with_repeats(script, ())
    for first in world.decisions:
        row = world.row(first.table, first.event.data.key)
        if row is None or row.outcome_of(first.event.id) is None:
            continue  # long ago, or nothing is kept of such an event
        again = decide_once(row, first.event, first.table.decide)
        assert again in (
            Decision(row, first.decision.events, first.decision.outcome),
            Decision(row, (), first.decision.outcome),
        )


@given(scripts, repeats_between)
def test_any_repeats_in_between_end_in_the_same_rows(script: list[Action], repeats: list[tuple[int, int]]) -> None:
    assert _rows(act_with_repeats(script, repeats)) == _rows(act_with_repeats(script, ()))


@given(scripts, st.lists(st.tuples(st.integers(0, 7), st.booleans()), max_size=100))
def test_what_a_crash_swallowed_is_made_good(script: list[Action], course: list[tuple[int, bool]]) -> None:
    people = People(World())
    world = people.world
    for action in script:
        act(people, action)
        while course and (place := choose(world.waiting(), course[0][0])):
            move = world.crash if course.pop(0)[1] else world.step
            move(place)
    world.settle()
    published = [event.data for event in world.log]
    for decided in world.decisions:
        assert all(message in published for message in decided.decision.events), "a message was lost"


def test_a_request_that_a_crash_swallowed_reaches_the_phone_even_if_another_topic_goes_on_first() -> None:
    people = People(World())
    for action in PAIRING:
        people.world.settle()
        act(people, action)
    people.world.settle()
    world, phone = people.world, PHONES[0]
    people.cancel(NAMES[0], 0)
    people.answer(phone, 0, Verdict.DENY)
    world.step(Place(PUSH_COMMANDS.name, CHANNELS))
    people.sign_in(NAMES[0])
    commands, responses = (Place(topic.name, ACCOUNTS) for topic in (LOGIN_COMMANDS, AUTH_RESPONSE))
    world.step(commands)
    world.crash(commands)
    world.step(responses)
    world.settle()
    assert len(people.shown(phone)) == 1
