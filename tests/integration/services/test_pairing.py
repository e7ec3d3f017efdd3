"""The pairing service alone: phrases out, claims and answers in, pairings out."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import aiohttp
import pytest

from deploy.local.instance_process import InstanceProcess
from deploy.local.ports import free_port
from deploy.local.stack import Stack
from protocol.challenges import sign_answer, verify_challenge
from protocol.phrases import read_phrase
from schemas.contract import (
    AuthResponse,
    ChallengeIssued,
    DevicePaired,
    PairingFailed,
    PairingFailure,
    PairingRequested,
    Purpose,
    Verdict,
)
from tests.integration.services.devices import Device, a_challenge, a_claim
from tests.integration.services.wire import Wire
from tests.polling import eventually

PAYLOAD: dict[str, object] = {"device_name": "Test phone"}


@pytest.fixture
def pairing(run: Callable[[str], InstanceProcess]) -> InstanceProcess:
    """Give the running pairing service."""
    return run("pairing")


@pytest.fixture
async def device(pairing: InstanceProcess) -> AsyncIterator[Device]:
    """Give a device of its own."""
    async with Device(pairing.url) as made:
        yield made


async def a_phrase(device: Device) -> str:
    """Get a phrase for a device."""
    status, document = await device.post("/phrases", await device.request("/phrases", PAYLOAD))
    assert status == 201, document
    return str(document["phrase"])


async def claimed(wire: Wire, claim: PairingRequested) -> ChallengeIssued:
    """Claim a phrase, and return what its device is asked."""
    await wire.publisher.publish_command(claim)
    return await wire.next(ChallengeIssued, lambda each: each.challenge_id == claim.pairing_id)


def an_answer(device: Device, issued: ChallengeIssued, verdict: Verdict, **changes: object) -> AuthResponse:
    """Return what the push service publishes once the device has answered."""
    at = datetime.now(UTC)
    answer = sign_answer(device.key, challenge=issued.challenge, verdict=verdict, url="u", nonce="n", at=at)
    fields = {
        "challenge_id": issued.challenge_id,
        "device_id": issued.device_id,
        "reply_key": issued.reply_key,
        "purpose": Purpose.PAIRING,
        "verdict": verdict,
        "challenge": issued.challenge,
        "answer": answer,
        "answered_at": at,
        **changes,
    }
    return AuthResponse.model_validate(fields)


async def test_a_phrase_leads_from_the_account_to_the_phone_and_back(device: Device, stack: Stack, wire: Wire) -> None:
    claim = a_claim(stack, (await a_phrase(device)).upper().replace(" ", "   "))
    issued = await claimed(wire, claim)
    claims, key = verify_challenge(issued.challenge)
    async with aiohttp.ClientSession() as session, session.get(f"{device.url}/.well-known/jwks.json") as answer:
        published = [each["kid"] for each in (await answer.json(content_type=None))["keys"]]
    assert key in published
    assert (claims.aud, claims.account_name, claims.purpose) == (device.device_id, "Alex", Purpose.PAIRING)
    await wire.publisher.publish_command(an_answer(device, issued, Verdict.APPROVE))
    paired = await wire.next(DevicePaired, lambda each: each.pairing_id == claim.pairing_id)
    assert (paired.device_id, paired.account_id, paired.device_name) == (device.device_id, "alex", "Test phone")


async def test_a_phrase_works_once(device: Device, stack: Stack, wire: Wire) -> None:
    phrase = await a_phrase(device)
    await claimed(wire, a_claim(stack, phrase))
    second = a_claim(stack, phrase)
    await wire.publisher.publish_command(second)
    failed = await wire.next(PairingFailed, lambda each: each.pairing_id == second.pairing_id)
    assert failed.reason is PairingFailure.USED_PHRASE


async def test_a_new_phrase_ends_the_one_before(device: Device, stack: Stack, wire: Wire) -> None:
    first = await a_phrase(device)
    second = await a_phrase(device)
    stale = a_claim(stack, first)
    await wire.publisher.publish_command(stale)
    failed = await wire.next(PairingFailed, lambda each: each.pairing_id == stale.pairing_id)
    assert failed.reason is PairingFailure.EXPIRED_PHRASE
    assert (await claimed(wire, a_claim(stack, second))).device_id == device.device_id


async def test_a_phrase_that_nobody_shows_is_unknown(pairing: InstanceProcess, stack: Stack, wire: Wire) -> None:
    assert pairing.is_ready()
    claim = a_claim(stack, "abacus abdomen")
    await wire.publisher.publish_command(claim)
    failed = await wire.next(PairingFailed, lambda each: each.pairing_id == claim.pairing_id)
    assert failed.reason is PairingFailure.UNKNOWN_PHRASE


@pytest.mark.parametrize(
    ("verdict", "reason"), [(Verdict.DENY, PairingFailure.DECLINED), (Verdict.REPORT, PairingFailure.REPORTED)]
)
async def test_a_declined_pairing_reaches_the_account(
    device: Device, stack: Stack, wire: Wire, verdict: Verdict, reason: PairingFailure
) -> None:
    issued = await claimed(wire, a_claim(stack, await a_phrase(device)))
    await wire.publisher.publish_command(an_answer(device, issued, verdict))
    failed = await wire.next(PairingFailed, lambda each: each.pairing_id == issued.challenge_id)
    assert failed.reason is reason


async def test_an_answer_after_the_time_pairs_nothing(device: Device, stack: Stack, wire: Wire) -> None:
    issued = await claimed(wire, a_claim(stack, await a_phrase(device), lifetime_seconds=1))
    await eventually(lambda: datetime.now(UTC) > issued.expires_at)
    await wire.publisher.publish_command(an_answer(device, issued, Verdict.APPROVE))
    failed = await wire.next(PairingFailed, lambda each: each.pairing_id == issued.challenge_id)
    assert failed.reason is PairingFailure.NOT_ANSWERED


async def test_a_forged_answer_is_dead_lettered(
    device: Device, stack: Stack, wire: Wire, pairing: InstanceProcess
) -> None:
    issued = await claimed(wire, a_claim(stack, await a_phrase(device)))
    async with Device(pairing.url) as thief:
        await wire.publisher.publish_command(an_answer(thief, issued, Verdict.APPROVE))
    letter = await wire.dead_letter("auth.response", issued.reply_key.encode())
    assert b"forged" in dict(letter.headers)["dlq_reason"]
    assert [each for each in wire.of(DevicePaired) if each.pairing_id == issued.challenge_id] == []


async def test_a_challenge_by_another_issuer_pairs_nothing(device: Device, stack: Stack, wire: Wire) -> None:
    issued = await claimed(wire, a_claim(stack, await a_phrase(device)))
    made_up = a_challenge(device.device_id, issued.challenge_id).challenge
    forged = issued.model_copy(update={"challenge": made_up})
    await wire.publisher.publish_command(an_answer(device, forged, Verdict.APPROVE))
    letter = await wire.dead_letter("auth.response", issued.reply_key.encode())
    assert b"not signed by this service" in dict(letter.headers)["dlq_reason"]


async def test_a_replayed_request_gives_no_second_phrase(device: Device) -> None:
    request = await device.request("/phrases", PAYLOAD)
    assert (await device.post("/phrases", request))[0] == 201
    status, document = await device.post("/phrases", request)
    assert (status, document["type"]) == (409, "urn:countersign:problem:replayed-nonce")


@pytest.mark.parametrize("payload", [{}, {"device_name": ""}, {"device_name": 7}, {"device_name": "x" * 61}])
async def test_a_device_must_give_its_name(device: Device, payload: dict[str, object]) -> None:
    status, document = await device.post("/phrases", await device.request("/phrases", payload))
    assert (status, document["type"]) == (400, "urn:countersign:problem:malformed")


async def test_a_device_that_asks_without_end_is_told_to_wait(device: Device) -> None:
    for _ in range(20):
        await a_phrase(device)
    status, document = await device.post("/phrases", await device.request("/phrases", PAYLOAD))
    assert (status, document["type"]) == (429, "urn:countersign:problem:too-many-requests")


async def test_the_phrase_itself_is_in_no_record(device: Device, stack: Stack, wire: Wire) -> None:
    phrase = await a_phrase(device)
    await claimed(wire, a_claim(stack, phrase))
    first, second = read_phrase(phrase)
    for record in wire.records:
        content = (record.value or b"") + (record.key or b"") + repr(record.headers).encode()
        assert not (first.encode() in content and second.encode() in content)


def test_keys_are_kept_for_their_owner_alone(stack: Stack, pairing: InstanceProcess) -> None:
    assert pairing.is_ready()
    for kept in stack.secrets.iterdir():
        assert kept.stat().st_mode & 0o077 == 0, kept


async def test_a_second_instance_on_one_data_directory_is_refused(pairing: InstanceProcess, stack: Stack) -> None:
    environment = stack.environment("pairing") | {"PAIRING_DATA_DIRECTORY": str(stack.data_directory(pairing.name))}
    second = InstanceProcess("pairing", "second", free_port(), free_port(), stack.logs / "second.log", environment)
    second.start()
    await eventually(lambda: second.exit_code is not None)
    assert second.exit_code == 2
    assert "another instance uses the data directory" in second.log_path.read_text()
    assert pairing.is_ready()
