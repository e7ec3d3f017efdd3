"""The Python phone with the real push and pairing services; the login service is played by the test."""

import asyncio
import json
import sys
import uuid
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from authenticator.device.challenges import DeviceChallenge
from authenticator.device.phone import VirtualPhone
from authenticator.device.state import ChallengeOutcome
from cli.__main__ import app
from deploy.local.instance_process import InstanceProcess
from deploy.local.stack import READY_TIMEOUT_SECONDS, Stack
from protocol.agreement import AgreementPrivateKey
from protocol.challenges import verify_proof
from protocol.verification_codes import find_step
from schemas.base import Message
from schemas.contract import AuthResponse, DevicePaired, Purpose, Verdict
from schemas.contract import ChallengeOutcome as IssuersOutcome
from tests.builders import present
from tests.integration.services.devices import ISSUER, a_challenge, a_claim, an_unpairing
from tests.integration.services.wire import Wire, decide
from tests.polling import DEADLINE_SECONDS, eventually


@pytest.fixture
def push(run: Callable[[str], InstanceProcess]) -> InstanceProcess:
    """Give the running push service, with the pairing service beside it."""
    run("pairing")
    return run("push")


async def program(module: str, *arguments: str) -> tuple[int, str]:
    """Run a program of ours to its end."""
    command = [sys.executable, "-m", module, *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(DEADLINE_SECONDS):
        out, err = await process.communicate()
    return present(process.returncode), out.decode() + err.decode()


async def proven(message: Message, jwks: str) -> tuple[int, dict[str, Any]]:
    """Let `countersign proof verify` judge a record, in a thread, for it may ask a service here for keys."""
    words = ["proof", "verify", "-", "--jwks", jwks, "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, app, words, input=message.model_dump_json())
    return result.exit_code, json.loads(result.stdout)


async def next_request(phone: VirtualPhone) -> DeviceChallenge:
    """Wait for the next request that the phone shows."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await anext(phone.requests())


async def test_terminal_device_pairs_and_approves_and_both_are_proven_offline(
    push: InstanceProcess, stack: Stack, wire: Wire, tmp_path: Path
) -> None:
    device = ["--state", str(tmp_path / "state"), "--url", push.url]
    accept = ["wait", "--answer", "accept", "--count", "1", "--timeout", str(DEADLINE_SECONDS)]
    code, output = await program("authenticator.device", *device, "new-account", "--name", "Pixel 9", "--json")
    assert code == 0, output
    claim = a_claim(stack, json.loads(output)["phrase"])
    await wire.publisher.publish_command(claim)
    code, output = await program("authenticator.device", *device, *accept)
    assert code == 0, output
    assert "Alex is connected" in output
    paired = await wire.next(DevicePaired, lambda each: each.pairing_id == claim.pairing_id)
    assert paired.device_name == "Pixel 9"

    issued = a_challenge(paired.device_id, uuid.uuid4().hex)
    await wire.publisher.publish_command(issued)
    deciding = asyncio.create_task(decide(wire, issued))
    code, output = await program("authenticator.device", *device, *accept)
    await deciding
    assert code == 0, output
    response = await wire.next(
        AuthResponse, lambda each: (each.device_id, each.purpose) == (paired.device_id, Purpose.LOGIN)
    )
    issuer_keys = tmp_path / "issuer.json"
    issuer_keys.write_text(json.dumps({"keys": [ISSUER.public.jwk]}))
    pairing_keys = f"{stack.urls['pairing']}/.well-known/jwks.json"
    for record, jwks, issuer_key in ((paired, pairing_keys, None), (response, str(issuer_keys), ISSUER)):
        code, finding = await proven(record, jwks)
        assert (code, finding["proven"], finding["verdict"]) == (0, True, "approve"), finding
        assert issuer_key is None or finding["issuer_key"] == issuer_key.public.thumbprint
    assert (await proven(paired, str(issuer_keys)))[0] == 1


async def test_phone_agrees_on_codes_answers_with_a_number_and_hears_that_it_is_unpaired(
    push: InstanceProcess, stack: Stack, wire: Wire
) -> None:
    service = AgreementPrivateKey.generate()
    async with VirtualPhone.in_memory(push.url, "Pixel 9") as phone:
        claim = a_claim(stack, (await phone.new_phrase()).phrase, issuer_agreement=service.public)
        await wire.publisher.publish_command(claim)
        await phone.answer(await next_request(phone), Verdict.APPROVE)
        paired = await wire.next(DevicePaired, lambda each: each.pairing_id == claim.pairing_id)
        sent = present(verify_proof(paired.challenge, paired.answer).agreement_key)
        (account,) = phone.store.read().accounts
        secret = service.code_secret(sent, claim.pairing_id)
        assert find_step(secret, phone.code(account).code, datetime.now(UTC)) is not None

        challenge = a_challenge(phone.device_id, uuid.uuid4().hex, number_matching=True)
        await wire.publisher.publish_command(challenge)
        deciding = asyncio.create_task(decide(wire, challenge))
        answered = await phone.answer(await next_request(phone), Verdict.APPROVE, 42)
        await deciding
        assert answered.outcome is ChallengeOutcome.APPROVED
        response = await wire.next(AuthResponse, lambda each: each.challenge_id == challenge.challenge_id)
        assert verify_proof(response.challenge, response.answer).number == 42

        await wire.publisher.publish_command(an_unpairing(phone.device_id, claim.pairing_id))
        await eventually(lambda: not phone.store.read().accounts)
        assert phone.store.read().history[-1].outcome is ChallengeOutcome.REMOVED


async def test_phone_outlives_a_crash_of_the_push_service(push: InstanceProcess, stack: Stack, wire: Wire) -> None:
    async with VirtualPhone.in_memory(push.url, "Pixel 9") as phone:
        await wire.publisher.publish_command(a_claim(stack, (await phone.new_phrase()).phrase))
        await phone.answer(await next_request(phone), Verdict.APPROVE)

        push.kill()
        issued = a_challenge(phone.device_id, uuid.uuid4().hex)
        await wire.publisher.publish_command(issued)
        push.start()
        await asyncio.to_thread(push.await_ready, READY_TIMEOUT_SECONDS)

        request = await next_request(phone)
        assert request.claims.jti == issued.challenge_id
        deciding = asyncio.create_task(decide(wire, issued, IssuersOutcome.DENIED))
        await phone.answer(request, Verdict.DENY)
        await deciding
        response = await wire.next(AuthResponse, lambda each: each.challenge_id == issued.challenge_id)
        assert response.verdict is Verdict.DENY


async def test_answer_that_is_given_while_the_push_service_is_away_counts_once_it_is_back(
    push: InstanceProcess, stack: Stack, wire: Wire
) -> None:
    async with VirtualPhone.in_memory(push.url) as phone:
        claim = a_claim(stack, (await phone.new_phrase()).phrase)
        await wire.publisher.publish_command(claim)
        request = await next_request(phone)
        push.kill()
        answering = asyncio.create_task(phone.answer(request, Verdict.APPROVE))
        push.start()
        await asyncio.to_thread(push.await_ready, READY_TIMEOUT_SECONDS)
        await answering
        paired = await wire.next(DevicePaired, lambda each: each.pairing_id == claim.pairing_id)
        assert paired.device_id == phone.device_id
        assert [account.account_id for account in phone.store.read().accounts] == ["alex"]
