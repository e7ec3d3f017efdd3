"""A table is declared once: adding a topic to its declaration updates everything else."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_type_hints

import pytest

from operations.access_rules import Operation, Resource, access_rules
from operations.deployment import ALL, EVENTS, TABLES, TOPOLOGIES, readers, writers
from schemas.base import Message
from schemas.codec import TYPES, Event, encode
from schemas.contract import Purpose
from schemas.login_messages import ChangeName, OpenAccount
from schemas.topics import Topic, TopicKind
from services.common.decisions import Decision, Row
from services.common.rows.table import ServiceTopology, Table
from services.login.domain import decide as login
from services.login.tables import ACCOUNTS
from services.pairing.domain import phrase
from services.pairing.tables import PHRASES
from services.push.domain import decide as push
from tests.builders import an_event
from tests.events import a_challenge, a_response
from tests.messages import a_cancel

FIRST = Topic("scratch.commands", TopicKind.COMMAND, "scratch", 60)
MORE = Topic("scratch.more", TopicKind.COMMAND, "scratch", 60)


def _decide(row: Any, event: Event[Message], policy: object) -> Decision[Any]:
    assert policy is None
    return Decision(row, outcome=event.id)


SCRATCH = Table("scratch", "rows", Row, _decide, reads=(FIRST,))


def test_a_topic_that_is_added_to_a_table_is_everywhere() -> None:
    before = ServiceTopology("scratch", (SCRATCH,))
    after = ServiceTopology("scratch", (replace(SCRATCH, reads=(FIRST, MORE)),))
    assert MORE not in before.topics
    assert {MORE, MORE.dead_letter} == {*after.topics} - {*before.topics}
    assert MORE in after.groups["scratch"]
    rules = {(each.operation, each.resource): each.names for each in access_rules([after], "x.")}
    assert "x.scratch.more" in rules[Operation.READ, Resource.TOPIC]
    assert "x.scratch.more.dlq" in rules[Operation.WRITE, Resource.TOPIC]
    assert rules[Operation.READ, Resource.GROUP] == ("x.scratch",)


@pytest.mark.parametrize("topic", EVENTS, ids=lambda topic: topic.name)
def test_each_topic_has_a_writer_and_a_reader(topic: Topic) -> None:
    assert writers(topic)
    assert readers(topic)


def test_each_message_has_a_topic_with_a_writer() -> None:
    written = {topic for each in TOPOLOGIES for topic in each.writes}
    assert {kind.topic for kind in TYPES.values()} <= written <= {*ALL}


def test_a_services_rules_allow_no_topic_of_another_service() -> None:
    for topology in TOPOLOGIES:
        rules = [each for each in access_rules([topology], "") if each.resource is Resource.TOPIC]
        assert {name for each in rules for name in each.names} == {topic.name for topic in topology.topics}


DECIDERS: dict[str, Mapping[type[Message], Any]] = {
    "accounts": login.DECIDERS,
    "phrases": phrase.DECIDERS,
    "channels": push.DECIDERS,
}
DECIDED_APART = {ChangeName, OpenAccount}
"""Decided by the dispatcher itself, since it needs no account."""


@pytest.mark.parametrize("name", DECIDERS)
def test_each_decider_takes_the_message_that_it_stands_for(name: str) -> None:
    for kind, decider in DECIDERS[name].items():
        assert kind.__name__ in str(get_type_hints(decider)), kind


@pytest.mark.parametrize("table", [each for each in TABLES if each.name in DECIDERS], ids=lambda table: table.name)
def test_each_message_that_a_table_reads_has_a_decider(table: Table[Any]) -> None:
    read = {kind for kind in TYPES.values() if kind.topic in table.reads}
    assert read - DECIDED_APART == DECIDERS[table.name].keys()


@pytest.mark.parametrize(("table", "purpose"), [(ACCOUNTS, Purpose.LOGIN), (PHRASES, Purpose.PAIRING)])
def test_a_table_passes_over_responses_of_another_purpose(table: Table[Any], purpose: Purpose) -> None:
    for each in Purpose:
        response = a_response(a_challenge(purpose=each))
        assert table.concerns(encode(an_event(response)).headers) == (each is purpose)
    assert table.concerns([("ce_type", b"countersign.auth.response.v1")]), "an older sender names no purpose"
    assert table.concerns(encode(an_event(a_cancel())).headers)
