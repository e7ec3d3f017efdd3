"""One login leaves one trace through all services and topics, and no secret anywhere."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from deploy.stack import Stack, StackOptions
from schemas.topics import ALL
from services.common.tracing import trace_id
from tests.broker import PARTITIONS
from tests.integration.whole.acting import PASSWORD, Person, a_person

COOKIES = ("countersign_browser", "countersign_login", "countersign_session")


@pytest.fixture(scope="module")
def stack(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a running stack on the run's Kafka."""
    options = StackOptions(
        tmp_path_factory.mktemp("stack"),
        kafka_bootstrap=kafka,
        topic_prefix=f"w{uuid.uuid4().hex[:10]}.",
        partitions=PARTITIONS,
    )
    with Stack(options) as running:
        yield running


@dataclass(frozen=True)
class Passed:
    """A record that is in some topic: its type, its trace, and all its bytes."""

    type: str
    trace: str
    content: bytes


async def all_records(stack: Stack) -> list[Passed]:
    """Return every record of every topic."""
    names = [f"{stack.topic_prefix}{topic.name}" for topic in ALL]
    consumer = AIOKafkaConsumer(*names, bootstrap_servers=stack.bootstrap, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(sorted(consumer.assignment()))
        found = []
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    headers = dict(record.headers)
                    kind, trace = (headers.get(name, b"").decode() for name in ("ce_type", "traceparent"))
                    content = (record.key or b"") + (record.value or b"") + b"".join(headers.values())
                    found.append(Passed(kind, trace_id(trace), content))
        return found
    finally:
        await consumer.stop()


def log_lines(stack: Stack) -> list[dict[str, object]]:
    """Return what the services logged."""
    files: list[Path] = [stack.logs / f"{name}.log" for name in stack.instances]
    return [json.loads(line) for path in files for line in path.read_text().splitlines() if line.startswith("{")]


async def test_one_trace_follows_a_login_through_services_topics_and_logs(stack: Stack) -> None:
    async with a_person(stack) as person:
        await person.enter_password()
        await person.pair()
        await person.browser.submit("/prompt")
        await person.approve()
        await person.browser.submit("/sign-out")
        await person.enter_password()
        await person.approve()
    lines = log_lines(stack)
    begun = [line for line in lines if line.get("event_type") == "countersign.login.sign_in.v1"]
    trace = next(line["trace_id"] for line in reversed(begun))
    services = {line["service"] for line in lines if line.get("trace_id") == trace}
    assert services >= {"login", "push"}
    types = {each.type for each in await all_records(stack) if each.trace == trace}
    assert types >= {
        "countersign.login.sign_in.v1",
        "countersign.auth.challenge.v1",
        "countersign.push.receipt.v1",
        "countersign.push.submit_answer.v1",
        "countersign.auth.response.v1",
    }


async def test_no_secret_is_in_any_record_or_log_line(stack: Stack) -> None:
    async with a_person(stack) as person:
        await person.enter_password("a wrong password")
        await person.enter_password()
        await person.pair()
        secrets = _cookies(person)
        await person.browser.submit("/prompt")
        await person.approve()
        secrets |= _cookies(person)
    secrets |= {PASSWORD, "a wrong password", *person.phrases}
    assert len(secrets) >= 6
    content = b"\n".join(each.content for each in await all_records(stack))
    content += b"".join((stack.logs / f"{name}.log").read_bytes() for name in stack.instances)
    assert [secret for secret in secrets if secret.encode() in content] == []


def _cookies(person: Person) -> set[str]:
    """Return the secret part of each cookie that the browser holds."""
    return {value.rpartition(".")[2] for name, value in person.browser.cookies.items() if name in COOKIES}
