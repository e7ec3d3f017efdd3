"""The login service alone: pages and forms in, requests and challenges out; the phone and its services are played."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import pytest

from deploy.local.instance_process import InstanceProcess
from deploy.local.stack import Stack
from lab.testkit.text_browser import TextBrowser
from protocol.challenges import Claims, PinnedIssuer, issue_challenge, sign_answer, verify_challenge
from protocol.jose import PrivateKey
from protocol.phrases import pairing_seal
from schemas.contract import (
    AuthResponse,
    ChallengeIssued,
    ChallengeWithdrawn,
    Delivery,
    DevicePaired,
    DeviceUnpaired,
    PairingFailed,
    PairingFailure,
    PairingRequested,
    Purpose,
    PushReceipt,
    Verdict,
)
from services.common.keys.keys import load_secret
from services.login.admin import administration
from services.login.web.read_your_writes import VERSION, RowVersion, read_version
from tests.accounts import add_account, let_see, sealed
from tests.builders import policy
from tests.integration.services.devices import ISSUER
from tests.integration.services.wire import Wire
from tests.polling import DEADLINE_SECONDS

PASSWORD = "correct horse battery"
PHRASE = "abacus abdomen"


@pytest.fixture
def login(run: Callable[[str], InstanceProcess]) -> InstanceProcess:
    """Give the running login service."""
    return run("login")


@dataclass
class Person:
    """Somebody with an account and a phone, whose phone's side the test plays.

    Attributes:
        name: The account's name.
        browser: The browser at the computer.
        key: The phone's key.

    """

    name: str
    browser: TextBrowser
    key: PrivateKey
    wire: Wire
    seal_key: bytes
    number_key: bytes

    async def sign_in(self, browser: TextBrowser | None = None, password: str = PASSWORD) -> TextBrowser:
        """Enter name and password."""
        used = browser or self.browser
        await used.open("/sign-in")
        return await used.submit("/sign-in", name=self.name, password=password)

    async def enter(self, phrase: str = PHRASE) -> PairingRequested:
        """Enter a phrase, and return what the pairing service gets to see of it."""
        known = {each.pairing_id for each in self.wire.of(PairingRequested)}
        await self.browser.open("/pair")
        await self.browser.submit("/pair", phrase=phrase)
        return await self.wire.next(
            PairingRequested, lambda each: each.account_id == self.name and each.pairing_id not in known
        )

    def accepted(self, request: PairingRequested, **changes: object) -> DevicePaired:
        """Return what the pairing service publishes once the phone has accepted."""
        at = datetime.now(UTC)
        claims = Claims(
            iss="http://localhost:8200",
            aud=self.key.public.thumbprint,
            jti=request.pairing_id,
            iat=int(at.timestamp()),
            exp=int(request.expires_at.timestamp()),
            purpose=Purpose.PAIRING,
            reply_key=request.phrase_digest,
            service=request.service_name,
            account_id=request.account_id,
            account_name=request.account_name,
            browser=request.browser,
            login_issuer=PinnedIssuer(issuer=request.issuer, keys=request.issuer_keys),
        )
        challenge = issue_challenge(ISSUER, claims)
        answer = sign_answer(self.key, challenge=challenge, verdict=Verdict.APPROVE, url="u", nonce="n", at=at)
        device_id = self.key.public.thumbprint
        fields = {
            "pairing_id": request.pairing_id,
            "account_id": request.account_id,
            "device_id": device_id,
            "device_name": "Test phone",
            "challenge": challenge,
            "answer": answer,
            "paired_at": at,
            "seal": pairing_seal(self.seal_key, request.pairing_id, request.account_id, device_id),
            **changes,
        }
        return DevicePaired.model_validate(fields)

    async def pair(self) -> None:
        """Sign in for the first time and pair the phone: the browser is at DEVICE PAIRING SUCCESSFUL."""
        await self.sign_in()
        await self.wire.publisher.publish_command(self.accepted(await self.enter()))
        await self.browser.wait()
        self.browser.expect("DEVICE PAIRING SUCCESSFUL")

    async def asked(self) -> ChallengeIssued:
        """Return what the phone is asked now."""
        answered = {each.challenge_id for each in self.wire.of(AuthResponse)}
        gone = {each.challenge_id for each in self.wire.of(ChallengeWithdrawn)}
        device_id = self.key.public.thumbprint
        return await self.wire.next(
            ChallengeIssued,
            lambda each: each.device_id == device_id and each.challenge_id not in answered | gone,
        )

    async def answer(self, issued: ChallengeIssued, verdict: Verdict, key: PrivateKey | None = None) -> None:
        """Answer as the phone and the push service do."""
        at = datetime.now(UTC)
        claims, _ = verify_challenge(issued.challenge)
        asked = claims.number_matching and verdict is Verdict.APPROVE
        signed = sign_answer(
            key or self.key,
            challenge=issued.challenge,
            verdict=verdict,
            url="u",
            nonce=uuid.uuid4().hex,
            at=at,
            number=policy(number_key=self.number_key).signer.number_of(claims.jti) if asked else None,
        )
        response = AuthResponse(
            challenge_id=issued.challenge_id,
            device_id=issued.device_id,
            reply_key=issued.reply_key,
            purpose=issued.purpose,
            verdict=verdict,
            challenge=issued.challenge,
            answer=signed,
            answered_at=at,
        )
        await self.wire.publisher.publish_command(response)
        await self.wire.next(AuthResponse, lambda each: each == response)


def stamp(seen: str) -> RowVersion:
    """Return what a browser says that it has seen."""
    value = read_version(seen.rpartition(".")[0])
    assert value is not None
    return value


@pytest.fixture
async def person(login: InstanceProcess, stack: Stack, wire: Wire) -> AsyncIterator[Person]:
    """Give somebody with an account and no phone yet."""
    name = f"p{uuid.uuid4().hex[:8]}"
    async with administration(stack.bootstrap, stack.topic_prefix) as accounts:
        await add_account(accounts, login.url, stack.secrets, name, PASSWORD)
    async with TextBrowser(login.url) as browser:
        await browser.open("/sign-in")
        yield Person(
            name,
            browser,
            PrivateKey.generate(),
            wire,
            load_secret(stack.secrets, "phrase"),
            load_secret(stack.secrets, "numbers"),
        )


async def test_a_login_is_complete_once_the_phone_approved(person: Person) -> None:
    await person.pair()
    await person.browser.submit("/challenge")
    issued = await person.asked()
    claims, _ = verify_challenge(issued.challenge)
    assert (claims.account_name, claims.browser.name, claims.browser.address) == (
        person.name,
        "Firefox on Linux",
        "127.0.0.1",
    )
    await person.answer(issued, Verdict.APPROVE)
    await person.browser.wait()
    assert person.browser.path == "/account"
    assert "Test phone" in person.browser.text


@pytest.mark.parametrize(("verdict", "words"), [(Verdict.DENY, "declined"), (Verdict.REPORT, "wasn't me")])
async def test_a_login_that_the_phone_refuses_ends_with_its_page(person: Person, verdict: Verdict, words: str) -> None:
    await person.pair()
    await person.browser.submit("/challenge")
    await person.answer(await person.asked(), verdict)
    await person.browser.wait()
    assert person.browser.path == "/ended"
    assert words in person.browser.text


async def test_an_answer_by_another_phone_signs_nobody_in(person: Person, wire: Wire) -> None:
    await person.pair()
    await person.browser.submit("/challenge")
    issued = await person.asked()
    await person.answer(issued, Verdict.APPROVE, key=PrivateKey.generate())
    letter = await wire.dead_letter("auth.response", person.name.encode())
    assert b"forged" in dict(letter.headers)["dlq_reason"]
    await person.browser.open("/account")
    assert person.browser.path == "/wait"


async def test_a_pairing_that_the_pairing_service_did_not_decide_is_set_aside(person: Person, wire: Wire) -> None:
    await person.sign_in()
    request = await person.enter()
    await wire.publisher.publish_command(person.accepted(request, seal="A" * 43))
    letter = await wire.dead_letter("device.paired", person.name.encode())
    assert b"the seal does not hold" in dict(letter.headers)["dlq_reason"]
    await person.browser.open("/account")
    assert person.browser.path == "/pair/wait"


async def test_a_phone_that_accepts_after_the_login_was_cancelled_is_let_go(person: Person, wire: Wire) -> None:
    await person.sign_in()
    request = await person.enter()
    await person.browser.submit("/cancel")
    await wire.publisher.publish_command(person.accepted(request))
    unpaired = await wire.next(DeviceUnpaired, lambda each: each.pairing_id == request.pairing_id)
    assert unpaired.reason == "too_late"


@pytest.mark.parametrize("failure", [each for each in PairingFailure if each is not PairingFailure.NOT_ANSWERED])
async def test_a_pairing_that_failed_leads_back_with_its_reason(
    person: Person, wire: Wire, failure: PairingFailure
) -> None:
    await person.sign_in()
    request = await person.enter()
    await wire.publisher.publish_command(
        PairingFailed(pairing_id=request.pairing_id, account_id=person.name, reason=failure)
    )
    await person.browser.wait()
    person.browser.expect("PAIR A DEVICE")
    assert re.search("phrase|declined|reported", person.browser.text, re.IGNORECASE)
    again = await person.enter()
    await wire.publisher.publish_command(person.accepted(again))
    await person.browser.wait()
    person.browser.expect("DEVICE PAIRING SUCCESSFUL")


async def test_a_mistyped_word_is_named_and_costs_no_try(person: Person, wire: Wire) -> None:
    await person.sign_in()
    await person.browser.open("/pair")
    for _ in range(7):
        await person.browser.submit("/pair", phrase="abacuss abdomen")
        assert "abacuss" in person.browser.text
    assert [each for each in wire.of(PairingRequested) if each.account_id == person.name] == []
    await person.enter()


async def test_five_phrases_then_a_pause(person: Person, wire: Wire) -> None:
    await person.sign_in()
    for _ in range(5):
        request = await person.enter()
        await wire.publisher.publish_command(
            PairingFailed(pairing_id=request.pairing_id, account_id=person.name, reason=PairingFailure.UNKNOWN_PHRASE)
        )
        await person.browser.wait()
    await person.browser.submit("/pair", phrase=PHRASE)
    assert "Pairing is paused" in person.browser.text


async def test_wrong_passwords_lead_to_a_pause_that_the_right_one_does_not_lift(person: Person) -> None:
    for _ in range(5):
        await person.sign_in(password="wrong wrong wrong")
    assert person.browser.status == 429
    await person.sign_in()
    assert person.browser.status == 429
    assert "paused" in person.browser.text


async def test_an_unknown_name_gets_the_answer_of_a_wrong_password(person: Person) -> None:
    await person.sign_in(password="wrong wrong wrong")
    known = (person.browser.status, person.browser.heading)
    nobody = Person("nobody-of-that-name", person.browser, person.key, person.wire, b"", b"")
    await nobody.sign_in()
    assert (person.browser.status, person.browser.heading) == known


async def test_one_request_at_a_time_reaches_the_phone(person: Person, login: InstanceProcess, wire: Wire) -> None:
    await person.pair()
    await person.browser.submit("/challenge")
    first = await person.asked()
    async with TextBrowser(login.url) as other:
        await person.sign_in(other)
        assert other.path == "/send"
        await other.submit("/challenge")
        assert other.path == "/send"
        await person.answer(first, Verdict.APPROVE)
        await other.wait()
        await other.submit("/challenge")
        assert other.path == "/wait"
        await person.answer(await person.asked(), Verdict.APPROVE)
        await other.wait()
        assert other.path == "/account"
    assert len([each for each in wire.of(ChallengeIssued) if each.reply_key == person.name]) == 2


async def test_it_was_not_me_ends_every_login_that_waits(person: Person, login: InstanceProcess) -> None:
    await person.pair()
    await person.browser.submit("/challenge")
    async with TextBrowser(login.url) as other:
        await person.sign_in(other)
        waiting = asyncio.create_task(other.wait())
        await person.answer(await person.asked(), Verdict.REPORT)
        await waiting
        assert other.path == "/ended"
        assert "wasn't me" in other.text


async def test_cancelling_takes_the_request_back_from_the_phone(person: Person, wire: Wire) -> None:
    await person.pair()
    await person.browser.submit("/challenge")
    issued = await person.asked()
    await person.browser.submit("/cancel")
    assert person.browser.path == "/ended"
    await wire.next(ChallengeWithdrawn, lambda each: each.challenge_id == issued.challenge_id)
    await person.answer(issued, Verdict.APPROVE)
    await person.browser.open("/account")
    assert person.browser.path != "/account"


async def test_the_waiting_page_names_the_phone_once_it_has_the_notification(person: Person, wire: Wire) -> None:
    await person.sign_in()
    request = await person.enter()
    await wire.publisher.publish_command(
        PushReceipt(
            challenge_id=request.pairing_id,
            reply_key=request.phrase_digest,
            device_name="Pixel of Alex",
            delivery=Delivery.DELIVERED,
        )
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        while "Pixel of Alex" not in person.browser.text:
            await person.browser.open("/pair/wait")


async def test_a_stolen_login_id_is_useless_in_another_browser(person: Person, login: InstanceProcess) -> None:
    await person.pair()
    await person.browser.submit("/challenge")
    async with TextBrowser(login.url) as thief:
        for path in ("/wait", "/complete", "/account", "/pair"):
            await thief.open(path)
            assert thief.path == "/sign-in"
        await person.answer(await person.asked(), Verdict.APPROVE)
        await thief.open("/complete")
        assert thief.path == "/sign-in"


async def test_a_form_from_elsewhere_is_refused(person: Person, login: InstanceProcess) -> None:
    async with aiohttp.ClientSession() as session:
        fields = {"name": person.name, "password": PASSWORD, "csrf": "A" * 43}
        async with session.post(f"{login.url}/sign-in", data=fields) as answer:
            assert answer.status == 403
    await person.sign_in()
    assert person.browser.path == "/connect"


async def test_every_answer_carries_the_security_headers(login: InstanceProcess) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("/sign-in", "/nowhere", "/static/style.css", "/", "/events"):
            async with session.get(f"{login.url}{path}", allow_redirects=False) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with session.get(f"{login.url}/sign-in") as answer:
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie


async def test_a_session_ends_when_its_owner_signs_out(person: Person) -> None:
    await person.pair()
    await person.browser.submit("/challenge")
    await person.answer(await person.asked(), Verdict.APPROVE)
    await person.browser.wait()
    await person.browser.submit("/sign-out")
    await person.browser.open("/account")
    assert person.browser.path == "/sign-in"


async def test_a_removed_account_is_gone_and_its_name_is_free(
    person: Person, stack: Stack, login: InstanceProcess
) -> None:
    await person.sign_in()
    async with administration(stack.bootstrap, stack.topic_prefix) as accounts:
        await accounts.remove(person.name)
        removed = accounts.view.get(person.name)
        assert removed is not None
        await let_see(login.url, stack.secrets, removed)
        await person.browser.open("/connect")
        assert person.browser.path == "/sign-in"
        await person.sign_in()
        assert person.browser.status == 401
        await add_account(accounts, login.url, stack.secrets, person.name, PASSWORD)
    await person.sign_in()
    assert person.browser.path == "/connect"


async def test_a_completed_login_stays_so_at_an_instance_that_is_behind(person: Person, login: InstanceProcess) -> None:
    """The approval is newer than what the browser's last form led to, so that the next page has to wait for it, too."""
    await person.pair()
    await person.browser.submit("/challenge")
    before = person.browser.cookies
    await person.answer(await person.asked(), Verdict.APPROVE)
    await person.browser.wait()
    async with (
        aiohttp.ClientSession(cookies=before) as session,
        session.get(f"{login.url}/complete", allow_redirects=False) as answer,
    ):
        assert answer.headers["Location"] == "/account"
        assert stamp(answer.cookies[VERSION].value) > stamp(before[VERSION])


async def test_an_instance_waits_for_what_the_browser_has_seen_and_says_if_that_takes_too_long(
    person: Person, login: InstanceProcess, stack: Stack
) -> None:
    await person.sign_in()
    seen = person.browser.cookies[VERSION]
    account_id, epoch, version = stamp(seen)
    assert account_id == person.name
    async with aiohttp.ClientSession(cookies={VERSION: seen}) as session, session.get(f"{login.url}/sign-in") as answer:
        assert answer.status == 200
    ahead = {VERSION: sealed(stack.secrets, f"{account_id}.{epoch}-{version + 1}")}
    async with aiohttp.ClientSession(cookies=ahead) as session:
        waiting = asyncio.create_task(session.get(f"{login.url}/sign-in"))
        await person.sign_in(password="wrong wrong wrong")
        async with await waiting as answer:
            assert answer.status == 200
    ahead = {VERSION: sealed(stack.secrets, f"{account_id}.{epoch}-{version + 1000}")}
    async with aiohttp.ClientSession(cookies=ahead) as session, session.get(f"{login.url}/sign-in") as answer:
        assert answer.status == 503
