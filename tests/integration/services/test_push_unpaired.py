"""The push service tells phones of pairings that ended, by what the login service publishes about the account."""

import uuid
from collections.abc import Callable

import pytest
from aiokafka import ConsumerRecord

from deploy.local.instance_process import InstanceProcess
from schemas.codec import Record, encode
from schemas.contract import DeviceUnpaired
from schemas.push_messages import TellUnpaired
from tests.builders import an_event
from tests.integration.services.devices import Device, a_challenge, an_unpairing, news
from tests.integration.services.wire import Wire
from tests.polling import DEADLINE_SECONDS


@pytest.fixture
def push(run: Callable[[str], InstanceProcess]) -> InstanceProcess:
    """Give the running push service."""
    return run("push")


def _frame(unpaired: DeviceUnpaired) -> dict[str, str | None]:
    return {"type": "unpaired", "statement": unpaired.statement}


async def test_a_connected_phone_hears_of_it_and_shows_the_accounts_requests_no_more(
    push: InstanceProcess, wire: Wire
) -> None:
    async with Device(push.url) as device:
        socket = await device.connect()
        issued = a_challenge(device.device_id, uuid.uuid4().hex)
        await wire.publisher.publish_command(issued)
        assert (await news(socket))["type"] == "challenge"
        unpaired = an_unpairing(device.device_id, uuid.uuid4().hex)
        await wire.publisher.publish_command(unpaired)
        ended = {"type": "ended", "challenge_id": issued.challenge_id, "reason": "withdrawn"}
        assert [await news(socket), await news(socket)] == [ended, _frame(unpaired)]


async def test_a_phone_that_was_away_hears_of_it_at_each_opening(push: InstanceProcess, wire: Wire) -> None:
    async with Device(push.url) as device:
        unpaired = an_unpairing(device.device_id, uuid.uuid4().hex)
        await wire.publisher.publish_command(unpaired)
        await wire.next(TellUnpaired, lambda each: each.pairing_id == unpaired.pairing_id)
        assert await news(await device.connect()) == _frame(unpaired)
        again = await device.connect()
        assert await news(again) == _frame(unpaired)
        assert await again.receive_json(timeout=DEADLINE_SECONDS) == {"type": "waiting", "challenge_ids": []}


async def test_a_repeated_event_is_passed_on_under_the_same_id_and_told_once(push: InstanceProcess, wire: Wire) -> None:
    async with Device(push.url) as device:
        socket = await device.connect()
        first, second = (an_unpairing(device.device_id, uuid.uuid4().hex) for _ in range(2))
        repeated = encode(an_event(first, event_id=f"event-{first.pairing_id}"))
        await wire.publisher.publish_until_acked(repeated)
        await wire.publisher.publish_until_acked(repeated)
        await wire.publisher.publish_command(second)
        assert [await news(socket), await news(socket)] == [_frame(first), _frame(second)]
        await wire.next(TellUnpaired, lambda each: each.pairing_id == second.pairing_id)
        passed_on = [dict(each.headers)["ce_id"] for each in wire.records if _tells_of(each, first)]
        assert passed_on == [f"event-{first.pairing_id}.0".encode()] * 2


def _tells_of(record: ConsumerRecord, unpaired: DeviceUnpaired) -> bool:
    return record.topic.endswith("push.commands") and unpaired.pairing_id.encode() in (record.value or b"")


async def test_an_altered_statement_is_dead_lettered_and_reaches_no_phone(push: InstanceProcess, wire: Wire) -> None:
    async with Device(push.url) as device:
        socket = await device.connect()
        true = an_unpairing(device.device_id, uuid.uuid4().hex)
        statement = (true.statement or "")[:-8] + "AAAAAAAA"
        await wire.publisher.publish_command(true.model_copy(update={"statement": statement}))
        letter = await wire.dead_letter("push.commands", device.device_id.encode())
        assert b"the signature is invalid" in dict(letter.headers)["dlq_reason"]
        await wire.publisher.publish_command(true)
        assert await news(socket) == _frame(true)


async def test_an_event_without_a_statement_is_passed_over(push: InstanceProcess, wire: Wire) -> None:
    async with Device(push.url) as device:
        socket = await device.connect()
        silent = an_unpairing(device.device_id, uuid.uuid4().hex).model_copy(update={"statement": None})
        stated = an_unpairing(device.device_id, uuid.uuid4().hex)
        await wire.publisher.publish_command(silent)
        await wire.publisher.publish_command(stated)
        assert await news(socket) == _frame(stated)
        assert silent.pairing_id not in {each.pairing_id for each in wire.of(TellUnpaired)}


async def test_an_undecodable_record_is_dead_lettered(push: InstanceProcess, wire: Wire) -> None:
    key = uuid.uuid4().hex.encode()
    await wire.publisher.publish_until_acked(Record("device.unpaired", key, b"{}", [("ce_type", b"nobody.knows.this")]))
    letter = await wire.dead_letter("device.unpaired", key)
    assert dict(letter.headers)["dlq_service"] == b"push"
    async with Device(push.url) as device:
        assert (await device.connect()).closed is False
