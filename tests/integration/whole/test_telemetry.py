"""What operators see of a login: one trace through all services, topics and logs, its spans a tree; and metrics."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from deploy.local.stack import SERVICES, Stack, StackOptions
from schemas.login_messages import SignIn
from schemas.topics import LOGIN_COMMANDS
from tests.broker import PARTITIONS
from tests.integration.whole.acting import a_person
from tests.integration.whole.records import all_records, log_lines
from tests.otlp import Receiver, Seen
from tests.polling import DEADLINE_SECONDS, POLL_SECONDS, eventually
from tests.scraping import Scrape, scrape

ANSWER = "/challenges/{challenge_id}/answer"
APPROVAL = (
    ("login", "process auth.response"),
    ("push", "send auth.response"),
    ("login", "send login.commands"),
    ("login", "POST /sign-in"),
)
"""The spans from a login's approval up to the password."""


@pytest.fixture(scope="module")
def stack(stack_options: StackOptions, receiver: Receiver) -> Iterator[Stack]:
    """Give a running stack on the run's Kafka."""
    options = replace(stack_options, environment=receiver.settings)
    with Stack(options) as running:
        yield running


@pytest.fixture(scope="module")
def name(stack: Stack) -> str:
    """Give the name of a person who has paired a phone, signed in, and signed in again."""
    return asyncio.run(sign_in_twice(stack))


async def sign_in_twice(stack: Stack) -> str:
    """Pair a phone and sign in by it, twice; return the account's name."""
    async with a_person(stack) as person:
        await person.first_sign_in()
        await person.sign_out()
        await person.sign_in()
        return person.name


@pytest.fixture
def trace(stack: Stack, name: str) -> str:
    """Give the trace of the second sign-in."""
    assert name
    begun = [line for line in log_lines(stack) if line.get("event_type") == SignIn.type]
    return str(begun[-1]["trace_id"])


async def test_one_trace_follows_a_login_through_services_topics_and_logs(stack: Stack, trace: str) -> None:
    services = {line["service"] for line in log_lines(stack) if line.get("trace_id") == trace}
    assert services >= {"login", "push"}
    types = {each.type for each in await all_records(stack) if each.trace == trace}
    assert types >= {
        "countersign.login.sign_in.v1",
        "countersign.auth.challenge.v1",
        "countersign.push.receipt.v1",
        "countersign.auth.response.v1",
    }


async def test_the_spans_of_a_login_are_one_tree(receiver: Receiver, trace: str) -> None:
    def spans() -> dict[str, Seen]:
        return {each.id: each for each in receiver.spans if each.trace == trace}

    def is_whole() -> bool:
        seen = spans()
        return APPROVAL[0] in {(each.service, each.name) for each in seen.values()} and all(
            each.parent in seen or not each.parent for each in seen.values()
        )

    await eventually(is_whole, "a span or its parent is missing")
    seen = spans()
    assert [(each.service, each.name) for each in seen.values() if not each.parent] == [APPROVAL[-1]]
    (approval,) = (each for each in seen.values() if (each.service, each.name) == APPROVAL[0])
    assert tuple((each.service, each.name) for each in upwards(approval, seen)) == APPROVAL


async def test_the_request_of_the_phone_is_linked_to_the_login(receiver: Receiver, trace: str) -> None:
    def linked() -> list[tuple[str, str]]:
        return [(each.service, each.name) for each in receiver.spans if trace in each.links and each.trace != trace]

    await eventually(lambda: linked() == [("push", f"POST {ANSWER}")], "the request of the phone is not linked")


async def test_metrics_tell_what_became_of_the_logins(stack: Stack, name: str) -> None:
    login, pairing, push = [await scrape(stack.instances[service]) for service in ("login", "pairing", "push")]
    assert login.total("logins_begun_total", kind="sign_in") == 2
    assert login.total("logins_total", kind="sign_in", outcome="approved", method="push") == 2
    assert login.total("login_challenges_sent_total") == login.total("login_challenges_total", outcome="approved") == 2
    assert login.total("pairings_total", outcome="paired") == 1
    assert login.total("answer_duration_seconds_count", purpose="login") == 2
    assert login.total("answer_duration_seconds_count", purpose="pairing") == 1
    assert push.total("challenges_total", purpose="login", outcome="waiting") == 2
    assert push.total("http_requests_total", method="POST", route=ANSWER, status="200") == 3
    for each in (login, pairing, push):
        assert (each.total("ready"), each.total("kafka_up"), each.total("not_ready")) == (1, 1, 0)
        assert each.total("taking_over") == 0
        assert each.total("last_takeover_seconds") > 0
        assert each.total("view_delay_seconds_count") > 0
        assert each.total("decision_duration_seconds_count") == each.total("decisions_total")
        assert each.total("dead_letters_total") == each.total("unexpected_errors_total") == 0
        assert name not in each.text


async def test_lag_is_told_for_each_partition_and_goes_away(stack: Stack, name: str) -> None:
    assert name
    login = await scraped(stack, "login", lambda each: each.total("consumer_lag_records") == 0)
    partitions = {
        each.labels["partition"]
        for each in login.samples
        if each.name == "countersign_consumer_lag_records" and each.labels["topic"] == LOGIN_COMMANDS.name
    }
    assert partitions == {str(number) for number in range(PARTITIONS)}
    await scraped(stack, "login", lambda each: each.total("view_lag_records") == 0)


async def test_an_event_that_comes_again_is_counted_as_repeated_and_nowhere_else(stack: Stack, name: str) -> None:
    before = await scrape(stack.instances["login"])
    record = await last_sign_in(stack)
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap)
    await producer.start()
    try:
        headers = list(record.headers)
        await producer.send_and_wait(record.topic, record.value, record.key, record.partition, headers=headers)
    finally:
        await producer.stop()
    repeated = before.total("repeated_events_total") + 1
    after = await scraped(stack, "login", lambda each: each.total("repeated_events_total") == repeated)
    for counted in (
        "decisions_total",
        "logins_begun_total",
        "logins_total",
        "login_challenges_sent_total",
        "login_challenges_total",
    ):
        assert after.total(counted) == before.total(counted)
    assert name not in after.text


async def test_the_public_port_shows_no_metrics(stack: Stack) -> None:
    async with aiohttp.ClientSession() as session:
        for service in SERVICES:
            async with session.get(f"{stack.urls[service]}/metrics") as answer:
                assert answer.status == 404
                assert "countersign_" not in await answer.text()


def upwards(span: Seen, seen: dict[str, Seen]) -> Iterator[Seen]:
    """Go from a span to its root."""
    yield span
    if span.parent:
        yield from upwards(seen[span.parent], seen)


async def scraped(stack: Stack, instance: str, holds: Callable[[Scrape], bool]) -> Scrape:
    """Wait until something holds of an instance's metrics."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not holds(found := await scrape(stack.instances[instance])):
            await asyncio.sleep(POLL_SECONDS)
    return found


async def last_sign_in(stack: Stack) -> ConsumerRecord:
    """Return the newest command to sign in."""
    topic = f"{stack.topic_prefix}{LOGIN_COMMANDS.name}"
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=stack.bootstrap, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(sorted(consumer.assignment()))
        found: list[ConsumerRecord] = []
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [each for each in records if dict(each.headers)["ce_type"] == SignIn.type.encode()]
        return max(found, key=lambda each: each.timestamp)
    finally:
        await consumer.stop()
