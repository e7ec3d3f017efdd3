"""One login leaves one trace through all services, topics and logs."""

import uuid
from collections.abc import Iterator

import pytest

from deploy.stack import Stack, StackOptions
from tests.broker import PARTITIONS
from tests.integration.whole.acting import a_person
from tests.integration.whole.records import all_records, log_lines


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
