"""A real history is audited: all of it follows, until one record is forged. And other settings are rehearsed on it."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from cli.__main__ import app
from deploy.local.stack import Stack, StackOptions
from lab.testkit.person import Person
from protocol.challenges import issue_challenge, sign_answer, verify_challenge
from protocol.jose import PrivateKey
from schemas.codec import Event, encode
from schemas.contract import AuthResponse, ChallengeIssued, Verdict
from services.common.clock import now
from tests.integration.services.wire import Wire
from tests.integration.whole.acting import a_person
from tests.polling import DEADLINE_SECONDS


@pytest.fixture(scope="module")
def stack(stack_options: StackOptions) -> Iterator[Stack]:
    """Give a running stack of its own: everything in its topics is audited."""
    options = replace(stack_options, environment={"LOGIN_CHALLENGES_MOST": "5"})
    with Stack(options) as running:
        yield running


async def run(stack: Stack, *words: str) -> Result:
    """Run a command with the settings that the services have, in a thread, for it has an event loop of its own."""
    environment = {**stack.environment("login"), **stack.environment("pairing")}
    return await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)


async def audited(stack: Stack, *words: str) -> tuple[int, dict[str, Any]]:
    """Audit the stack once its services have committed what they decided."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            result = await run(stack, "audit", "verify", "--json", *words)
            assert result.exit_code in {0, 1}, result.output
            report = json.loads(result.stdout)
            if "pending" not in report["unchecked"]:
                return result.exit_code, report


async def live(person: Person) -> None:
    """Pair a phone and sign in by it; mistype the password; sign in by a code and by the phone; deny a sign-in."""
    await person.first_sign_in()
    await person.sign_out()
    await person.enter_password("wrong wrong wrong")
    await person.enter_password()
    await person.enter_code(person.phone.code())
    person.is_signed_in()
    await person.sign_out()
    await person.sign_in()
    await person.sign_out()
    await person.enter_password()
    await person.deny()
    assert person.browser.path == "/ended", person.browser.text


async def test_a_real_history_follows_until_a_record_is_forged(stack: Stack) -> None:
    async with a_person(stack) as person:
        await live(person)
        (paired,) = person.phone.accounts
    status, report = await audited(stack)
    assert (status, report["findings"], report["unchecked"]) == (0, [], {})
    assert report["checked"]["row"] > 20
    assert report["checked"]["signed"] > 8
    place = await forge_response(stack)
    status, report = await audited(stack)
    assert status == 1
    assert [each["place"] for each in report["findings"]] == [place]
    assert "which is not a key of the login service" in report["findings"][0]["why"]
    shown = await run(stack, "audit", "verify", "--since", "1h")
    assert shown.exit_code == 1
    assert place in shown.output
    await rehearse(stack, paired.account_id)


async def rehearse(stack: Stack, account_id: str) -> None:
    """The person's second approval on the phone was of the third request within ten minutes."""
    result = await run(stack, "policy", "rehearse", "--set", "LOGIN_CHALLENGES_MOST=2", "--json")
    assert result.exit_code == 0, result.output
    rehearsal = json.loads(result.stdout)
    assert (rehearsal["logins"], rehearsal["stops"], rehearsal["passes"]) == (4, 1, 0)
    (stopped,) = rehearsal["stopped"]
    assert (stopped["account_id"], stopped["present"]) == (account_id, "approved by push")
    assert stopped["why"] == "push paused"
    assert rehearsal["agreeing"] == rehearsal["decisions"]
    shown = await run(stack, "policy", "rehearse", "--set", "LOGIN_CHALLENGES_MOST=2")
    assert "4 logins of 1 accounts: 1 would have been stopped, 0 would newly have passed" in shown.output
    same = await run(stack, "policy", "rehearse", "--set", "LOGIN_CHALLENGES_MOST=5")
    assert (same.exit_code, "already in force" in same.output) == (2, True)


async def forge_response(stack: Stack) -> str:
    """Publish an approval whose challenge another key signed, past the push service; return where it is."""
    key = PrivateKey.generate()
    async with Wire(stack.bootstrap, stack.topic_prefix) as wire:
        issued = await wire.next(ChallengeIssued, lambda each: each.purpose == "login")
        claims, _ = verify_challenge(issued.challenge)
        challenge = issue_challenge(key, claims.model_copy(update={"aud": key.public.thumbprint}))
        fields = issued.model_dump(include={"challenge_id", "reply_key", "purpose"})
        answer = sign_answer(key, challenge=challenge, verdict=Verdict.APPROVE, url="u", nonce="n", at=now())
        answered = {"challenge": challenge, "answer": answer, "verdict": "approve", "answered_at": now()}
        forged = AuthResponse.model_validate({**fields, **answered, "device_id": key.public.thumbprint})
        record = encode(Event("forged.0", now(), "push/channels", "", forged))
        producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap)
        await producer.start()
        topic = f"{stack.topic_prefix}{record.topic}"
        sent = await producer.send_and_wait(topic, record.value, record.key, headers=record.headers)
        await producer.stop()
        await wire.dead_letter(record.topic, record.key)
    return f"{record.topic}/{sent.partition}/{sent.offset}"


async def test_what_cannot_be_audited_is_said(stack: Stack) -> None:
    away = await run(stack, "audit", "verify", "--kafka", "127.0.0.1:1")
    assert (away.exit_code, "Kafka cannot be reached at 127.0.0.1:1" in away.output) == (2, True)
    missing = await run(stack, "audit", "verify", "--topic-prefix", "nowhere.")
    assert (missing.exit_code, "countersign topics apply" in missing.output) == (2, True)
    nothing = await run(stack, "audit", "verify", "--until", "2020-01-01T00:00Z")
    assert (nothing.exit_code, "there was nothing to check" in nothing.output) == (2, True)
