"""The push service alone: challenges and statements in, sockets and answers, responses out."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiokafka import ConsumerRecord

from deploy.local.instance_process import InstanceProcess
from deploy.local.stack import Stack
from protocol.challenges import verify_proof
from protocol.jose import PrivateKey
from protocol.signed_requests import REQUEST_TYPE
from schemas.codec import Record, encode
from schemas.contract import (
    AuthResponse,
    ChallengeIssued,
    ChallengeOutcome,
    Delivery,
    DeviceUnpaired,
    PushReceipt,
    Verdict,
)
from schemas.push_messages import TellUnpaired
from tests.builders import an_event
from tests.events import an_ended_challenge
from tests.integration.services.devices import Device, a_challenge, an_unpairing, news
from tests.integration.services.wire import Wire, decide
from tests.polling import DEADLINE_SECONDS


@dataclass
class Asked:
    """A connected device, and a challenge that it was sent."""

    device: Device
    socket: aiohttp.ClientWebSocketResponse
    issued: ChallengeIssued

    @property
    def path(self) -> str:
        """Where the answer goes."""
        return f"/challenges/{self.issued.challenge_id}/answer"


@pytest.fixture
def push(run: Callable[[str], InstanceProcess]) -> InstanceProcess:
    """Give the running push service."""
    return run("push")


@pytest.fixture
async def asked(push: InstanceProcess, wire: Wire) -> AsyncIterator[Asked]:
    """Give a device that was just asked."""
    async with Device(push.url) as device:
        socket = await device.connect()
        issued = a_challenge(device.device_id, uuid.uuid4().hex)
        await wire.publisher.publish_command(issued)
        frame = await news(socket)
        assert frame == {"type": "challenge", "challenge": issued.challenge}
        yield Asked(device, socket, issued)


async def test_an_answer_becomes_a_response_that_proves_itself(asked: Asked, wire: Wire) -> None:
    deciding = asyncio.create_task(decide(wire, asked.issued))
    status, document = await asked.device.post(asked.path, await asked.device.answer(asked.issued))
    await deciding
    assert (status, document["verdict"]) == (200, "approve")
    assert document["outcome"] in {"approved", "received"}
    response = await wire.next(AuthResponse, lambda each: each.challenge_id == asked.issued.challenge_id)
    assert (response.key, response.verdict) == ("alex", Verdict.APPROVE)
    proof = verify_proof(response.challenge, response.answer)
    assert (proof.device_id, proof.claims.jti) == (asked.device.device_id, asked.issued.challenge_id)
    (record,) = (each for each in wire.records if each.topic.endswith("auth.response") and _is_of(each, asked))
    assert dict(record.headers)["ce_id"] == proof.answer_id.encode()
    assert await news(asked.socket) == {
        "type": "ended",
        "challenge_id": asked.issued.challenge_id,
        "reason": "answered",
        "outcome": "approved",
    }


def _is_of(record: ConsumerRecord, asked: Asked) -> bool:
    return asked.issued.challenge_id.encode() in (record.value or b"")


async def test_a_replayed_answer_is_refused_and_published_once(asked: Asked, wire: Wire) -> None:
    answer = await asked.device.answer(asked.issued)
    status, document = await asked.device.post(asked.path, answer)
    assert (status, document["outcome"]) == (200, "received")
    status, document = await asked.device.post(asked.path, answer)
    assert (status, document["type"]) == (409, "urn:countersign:problem:replayed-nonce")
    await wire.next(AuthResponse, lambda each: each.challenge_id == asked.issued.challenge_id)
    assert len([each for each in wire.of(AuthResponse) if each.challenge_id == asked.issued.challenge_id]) == 1


async def test_an_answer_that_was_only_received_is_asked_for_again(asked: Asked, wire: Wire) -> None:
    status, document = await asked.device.post(asked.path, await asked.device.answer(asked.issued))
    assert (status, document["outcome"]) == (200, "received")
    await decide(wire, asked.issued, ChallengeOutcome.WRONG_NUMBER)
    await news(asked.socket)
    status, document = await asked.device.post(asked.path, await asked.device.answer(asked.issued))
    assert (status, document["outcome"]) == (200, "wrong_number")


async def test_a_second_answer_hears_what_the_first_one_was(asked: Asked, wire: Wire) -> None:
    await asked.device.post(asked.path, await asked.device.answer(asked.issued, Verdict.DENY))
    await decide(wire, asked.issued, ChallengeOutcome.DENIED)
    await news(asked.socket)
    status, document = await asked.device.post(asked.path, await asked.device.answer(asked.issued))
    assert (status, document["type"]) == (409, "urn:countersign:problem:already-answered")
    assert (document["verdict"], document["outcome"]) == ("deny", "denied")


async def test_a_challenge_that_no_issuer_signed_is_unknown(push: InstanceProcess) -> None:
    async with Device(push.url) as device:
        await device.connect()
        issued = a_challenge(device.device_id, uuid.uuid4().hex)
        path = f"/challenges/{issued.challenge_id}/answer"
        for sent in (issued.challenge, "junk"):
            status, document = await device.post(path, await device.answer(issued), sent)
            assert (status, document["type"]) == (404, "urn:countersign:problem:unknown-challenge")


def _foreign_url(url: str) -> dict[str, Any]:
    return {"url": f"{url}/challenges/another/answer"}


def _old(_url: str) -> dict[str, Any]:
    return {"at": datetime.now(UTC) - timedelta(minutes=6)}


def _made_up_nonce(_url: str) -> dict[str, Any]:
    return {"nonce": "A" * 43}


def _other_challenge(_url: str) -> dict[str, Any]:
    return {"challenge": a_challenge("A" * 43, "other").challenge}


@pytest.mark.parametrize(
    ("change", "status", "name"),
    [
        (_foreign_url, 401, "wrong-url"),
        (_old, 401, "stale"),
        (_made_up_nonce, 401, "bad-nonce"),
        (_other_challenge, 409, "wrong-challenge"),
    ],
)
async def test_an_answer_that_is_not_bound_right_is_refused(
    asked: Asked, change: Callable[[str], dict[str, Any]], status: int, name: str
) -> None:
    answer = await asked.device.answer(asked.issued, **change(asked.device.url))
    got, document = await asked.device.post(asked.path, answer)
    assert (got, document["type"], document["status"]) == (status, f"urn:countersign:problem:{name}", status)


async def test_an_answer_by_another_key_reaches_nothing(asked: Asked, push: InstanceProcess) -> None:
    async with Device(push.url, PrivateKey.generate()) as thief:
        status, document = await thief.post(asked.path, await thief.answer(asked.issued))
    assert (status, document["type"]) == (404, "urn:countersign:problem:unknown-device")


async def test_an_altered_answer_is_refused(asked: Asked) -> None:
    answer = await asked.device.answer(asked.issued)
    for position in range(0, len(answer), 25):
        other = "A" if answer[position] != "A" else "B"
        status, document = await asked.device.post(asked.path, answer[:position] + other + answer[position + 1 :])
        assert (status, document["type"]) == (401, "urn:countersign:problem:bad-signature")


@pytest.mark.parametrize("body", ["", "not a JWS", "a.b.c", "\x00\x01", "x" * 9000])
async def test_junk_is_refused_in_words(asked: Asked, body: str) -> None:
    status, document = await asked.device.post(asked.path, body)
    assert status in {400, 401}
    assert document["detail"]


async def test_a_body_beyond_all_measure_is_refused(asked: Asked) -> None:
    status, document = await asked.device.post(asked.path, "x" * 100_000)
    assert (status, document["status"]) == (413, 413)


async def test_an_expired_challenge_takes_no_answer(push: InstanceProcess, wire: Wire) -> None:
    async with Device(push.url) as device:
        socket = await device.connect()
        issued = a_challenge(device.device_id, uuid.uuid4().hex, lifetime_seconds=0.5)
        await wire.publisher.publish_command(issued)
        await wire.next(ChallengeIssued, lambda each: each.challenge_id == issued.challenge_id)
        frames = [await news(socket)]
        if frames[0]["type"] == "challenge":
            frames.append(await news(socket))
        ended = {"type": "ended", "challenge_id": issued.challenge_id, "reason": "expired", "outcome": "expired"}
        assert frames[-1] == ended
        await wire.publisher.publish_command(an_ended_challenge(issued, ChallengeOutcome.EXPIRED))
        path = f"/challenges/{issued.challenge_id}/answer"
        status, document = await device.post(path, await device.answer(issued))
        assert (status, document["type"]) == (410, "urn:countersign:problem:expired")


async def test_a_withdrawn_challenge_ends_on_the_device(asked: Asked, wire: Wire) -> None:
    await wire.publisher.publish_command(an_ended_challenge(asked.issued))
    assert await news(asked.socket) == _withdrawn(asked.issued)
    status, document = await asked.device.post(asked.path, await asked.device.answer(asked.issued))
    assert (status, document["type"]) == (404, "urn:countersign:problem:unknown-challenge")


async def test_a_receipt_tells_the_phone_by_its_name(asked: Asked, wire: Wire) -> None:
    await asked.socket.send_json({"type": "receipt", "challenge_id": asked.issued.challenge_id})
    receipt = await wire.next(
        PushReceipt,
        lambda each: (each.challenge_id, each.delivery) == (asked.issued.challenge_id, Delivery.DELIVERED),
    )
    assert receipt.device_name == "Test phone"


async def test_a_challenge_waits_for_a_device_that_comes_later(push: InstanceProcess, wire: Wire) -> None:
    async with Device(push.url) as device:
        issued = a_challenge(device.device_id, uuid.uuid4().hex)
        await wire.publisher.publish_command(issued)
        receipt = await wire.next(PushReceipt, lambda each: each.challenge_id == issued.challenge_id)
        assert receipt.delivery is Delivery.UNDELIVERABLE
        socket = await device.connect()
        assert (await news(socket))["challenge"] == issued.challenge


async def test_a_device_that_was_away_hears_what_still_waits(asked: Asked, wire: Wire) -> None:
    async with Device(asked.device.url, asked.device.key) as same:
        again = await same.connect()
        assert (await news(again))["challenge"] == asked.issued.challenge
        assert await again.receive_json(timeout=DEADLINE_SECONDS) == {
            "type": "waiting",
            "challenge_ids": [asked.issued.challenge_id],
        }
        await wire.publisher.publish_command(an_ended_challenge(asked.issued))
        await news(again)
        third = await same.connect()
        assert await third.receive_json(timeout=DEADLINE_SECONDS) == {"type": "waiting", "challenge_ids": []}


@pytest.mark.parametrize("frame", ["{}", "not json", '{"type": "open", "request": "a.b.c"}', '{"type": "open"}', "[]"])
async def test_a_socket_opens_only_to_a_signed_nonce(push: InstanceProcess, frame: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{push.url}/socket") as socket:
        assert (await socket.receive_json(timeout=DEADLINE_SECONDS))["type"] == "hello"
        await socket.send_str(frame)
        message = await socket.receive(timeout=DEADLINE_SECONDS)
        if message.type is aiohttp.WSMsgType.TEXT:
            assert message.json()["problem"]["type"].startswith("urn:countersign:problem:")
            message = await socket.receive(timeout=DEADLINE_SECONDS)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == 4400


async def test_a_socket_takes_no_other_connections_nonce(push: InstanceProcess) -> None:
    async with Device(push.url) as device, aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{push.url}/socket") as socket:
            await socket.receive_json(timeout=DEADLINE_SECONDS)
            url = f"{push.url.replace('http', 'ws', 1)}/socket"
            signed = await device.request("/socket", {"device_name": "Phone"}, url=url, typ=REQUEST_TYPE)
            await socket.send_json({"type": "open", "request": signed})
            problem = (await socket.receive_json(timeout=DEADLINE_SECONDS))["problem"]
        assert problem["type"] == "urn:countersign:problem:bad-nonce"


async def test_an_undecodable_record_is_dead_lettered_with_its_reason(push: InstanceProcess, wire: Wire) -> None:
    key = uuid.uuid4().hex.encode()
    await wire.publisher.publish_until_acked(Record("auth.challenge", key, b"{}", [("ce_type", b"nobody.knows.this")]))
    letter = await wire.dead_letter("auth.challenge", key)
    reasons = dict(letter.headers)
    assert b"unknown type" in reasons["dlq_reason"]
    assert reasons["dlq_service"] == b"push"
    async with Device(push.url) as device:
        assert (await device.connect()).closed is False


async def test_any_instance_takes_an_answer_to_what_another_one_sent(asked: Asked, stack: Stack, wire: Wire) -> None:
    second = stack.start_second_instance("push")
    async with Device(second.url, asked.device.key) as same:
        status, _ = await same.post(asked.path, await same.answer(asked.issued))
    assert status == 200
    await decide(wire, asked.issued)
    ended = await news(asked.socket)
    assert ended["reason"] == "answered"
    await wire.next(AuthResponse, lambda each: each.challenge_id == asked.issued.challenge_id)


def _withdrawn(issued: ChallengeIssued) -> dict[str, str]:
    outcome = {"reason": "withdrawn", "outcome": "withdrawn"}
    return {"type": "ended", "challenge_id": issued.challenge_id, **outcome}


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
        assert await news(socket) == _frame(unpaired)
        await wire.publisher.publish_command(an_ended_challenge(issued))
        assert await news(socket) == _withdrawn(issued)


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
