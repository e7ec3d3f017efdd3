"""The login service alone: pages and forms in, requests and challenges out; the phone and its services are played."""

import asyncio
import re
from itertools import product

import aiohttp
import pytest

from deploy.local.instance_process import InstanceProcess
from deploy.local.stack import Stack
from lab.testkit.person import Visitor
from lab.testkit.text_browser import TextBrowser
from protocol.challenges import verify_challenge
from protocol.jose import PrivateKey
from schemas.contract import (
    ChallengeEnded,
    ChallengeIssued,
    Delivery,
    DeviceUnpaired,
    PairingFailed,
    PairingFailure,
    PairingRequested,
    PushReceipt,
    Verdict,
)
from services.login.admin import administration
from services.login.web.cookies import LOGIN, SESSION
from services.login.web.read_your_writes import VERSION, RowVersion, read_version
from tests.accounts import add_account, let_see, sealed
from tests.builders import present
from tests.integration.services.login.people import PASSWORD, PHONE, PHRASE, Person, another, expect_message, message
from tests.integration.services.wire import Wire
from tests.polling import DEADLINE_SECONDS


def version_of(seen: str) -> RowVersion:
    """Return what a browser says that it has seen."""
    return present(read_version(seen.rpartition(".")[0]))


@pytest.fixture
def login(stack: Stack) -> InstanceProcess:
    """Give the running login service."""
    return stack.instances["login"]


async def test_a_login_is_complete_once_the_phone_approved(person: Person) -> None:
    await person.pair_and_challenge()
    issued = await person.phone.asked()
    claims, _ = verify_challenge(issued.challenge)
    assert (claims.account_name, claims.browser.name, claims.browser.address) == (
        person.name,
        "Firefox on Linux",
        "127.0.0.1",
    )
    await person.phone.answer(issued, Verdict.APPROVE)
    await person.wait()
    assert person.browser.path == "/account"
    assert "Test phone" in person.browser.text


async def test_a_login_that_is_declined_ends_and_can_be_begun_again(person: Person) -> None:
    await person.pair_and_challenge()
    await person.answer(Verdict.DENY)
    assert person.browser.path == "/ended"
    expect_message(person, "Sign-in declined", "If you tapped the wrong button, sign in again")
    await person.browser.press("sign-in-again")
    await person.enter_password()
    await person.approve()
    assert f"Sign-in declined on {PHONE}" in person.browser.text


async def test_a_wrong_number_ends_the_login(person: Person) -> None:
    await person.pair_and_challenge()
    await person.phone.answer(
        await person.phone.asked(), Verdict.APPROVE, number=another(present(person.browser.number))
    )
    await person.wait()
    expect_message(person, "The number did not match", "enter the new number")
    await person.enter_password()
    await person.approve()
    assert f"Wrong number entered on {PHONE}" in person.browser.text


async def test_an_answer_by_another_phone_signs_nobody_in(person: Person, wire: Wire) -> None:
    await person.pair_and_challenge()
    issued = await person.phone.asked()
    await person.phone.answer(issued, Verdict.APPROVE, key=PrivateKey.generate())
    letter = await wire.dead_letter("auth.response", person.account_id.encode())
    assert b"forged" in dict(letter.headers)["dlq_reason"]
    await person.browser.open("/account")
    assert person.browser.path == "/wait"


async def test_a_pairing_without_the_pairing_services_seal_is_dead_lettered(person: Person, wire: Wire) -> None:
    await person.enter_password()
    request = await person.request_pairing()
    await wire.publisher.publish_command(person.phone.accepted(request, seal="A" * 43))
    letter = await wire.dead_letter("device.paired", person.account_id.encode())
    assert b"the seal does not hold" in dict(letter.headers)["dlq_reason"]
    await person.browser.open("/account")
    assert person.browser.path == "/pair/wait"


async def test_a_phone_that_accepts_after_the_login_was_cancelled_is_let_go(person: Person, wire: Wire) -> None:
    await person.enter_password()
    request = await person.request_pairing()
    await person.browser.submit("/cancel")
    await wire.publisher.publish_command(person.phone.accepted(request))
    unpaired = await wire.next(DeviceUnpaired, lambda each: each.pairing_id == request.pairing_id)
    assert unpaired.reason == "too_late"


@pytest.mark.parametrize(
    ("failure", "title", "text"),
    [
        (PairingFailure.UNKNOWN_PHRASE, "No phone shows this phrase", "Compare both words with your phone"),
        (PairingFailure.USED_PHRASE, "This phrase was already used", "Each phrase works once. Tap + New Account"),
        (PairingFailure.EXPIRED_PHRASE, "This phrase has expired", "Tap + New Account in Salesforce Authenticator"),
        (PairingFailure.DECLINED, "Pairing declined", "If you tapped the wrong button, try again. Tap + New Account"),
        (PairingFailure.REPORTED, "Pairing reported", "Make sure that you enter the phrase from your own phone."),
        (PairingFailure.NOT_ANSWERED, "The phone did not answer in time", "accept the notification on the phone"),
    ],
)
async def test_a_pairing_that_failed_leads_back_with_its_reason_and_a_new_phrase_pairs(
    person: Person, wire: Wire, failure: PairingFailure, title: str, text: str
) -> None:
    await person.enter_password()
    request = await person.request_pairing()
    await wire.publisher.publish_command(
        PairingFailed(pairing_id=request.pairing_id, account_id=person.account_id, reason=failure)
    )
    await person.wait()
    person.browser.expect("PAIR A DEVICE")
    expect_message(person, title, text)
    await person.accept_pairing(person.phone)


@pytest.mark.parametrize(
    ("typed", "title", "text"),
    [
        ("crimson oter", "Check the spelling", "“oter” is not a word of any phrase."),
        ("crimsn oter", "Check the spelling", "“crimsn” and “oter” are not words of any phrase."),
        ("crimson", "A phrase has two words", "You entered one word."),
        ("crimson otter crimson", "A phrase has two words", "You entered 3 words."),
    ],
)
async def test_a_mistyped_phrase_stays_in_its_field_and_costs_no_try(
    person: Person, wire: Wire, typed: str, title: str, text: str
) -> None:
    await person.enter_password()
    await person.browser.open("/pair")
    for _ in range(7):
        await person.browser.press("connect-device", phrase=typed)
        expect_message(person, title, text)
        assert person.browser.part("phrase").attributes["value"] == typed
    assert [each for each in wire.of(PairingRequested) if each.account_id == person.account_id] == []
    await person.accept_pairing(person.phone)


async def test_five_phrases_then_a_pause_whose_end_the_page_shows(person: Person, wire: Wire) -> None:
    await person.enter_password()
    for _ in range(5):
        request = await person.request_pairing()
        await wire.publisher.publish_command(
            PairingFailed(
                pairing_id=request.pairing_id, account_id=person.account_id, reason=PairingFailure.UNKNOWN_PHRASE
            )
        )
        await person.wait()
    title, text = message(person)
    assert title == "Pairing is paused"
    assert re.search(r"you can try again in \d+ (seconds|minutes?)\.", text)
    assert person.browser.part("countdown").attributes["data-at-end"] == "/pair"
    assert "disabled" in person.browser.part("connect-device").attributes
    await person.browser.submit("/pair", phrase=PHRASE)
    expect_message(person, "Pairing is paused")


async def test_wrong_passwords_lead_to_a_pause_that_the_right_one_does_not_lift(person: Person) -> None:
    for _ in range(5):
        await person.enter_password("wrong wrong wrong")
    assert person.browser.status == 429
    await person.enter_password()
    assert person.browser.status == 429
    title, text = message(person)
    assert title == "Sign-in is paused"
    assert re.search(r"you can try again in \d+ seconds?\. If you forgot the password, ask your administrator", text)
    assert person.browser.part("countdown").attributes["data-at-end"] == "You can try again now."
    assert re.fullmatch(r"0:\d\d", person.browser.part("countdown").text)


async def test_an_unknown_name_gets_the_answer_of_a_wrong_password(person: Person) -> None:
    pages = []
    for name in (person.name, f"nobody-like-{person.name}"):
        await Visitor(name, "wrong wrong wrong", person.browser).enter_password()
        pages.append((person.browser.status, person.browser.text))
        assert message(person) == ("That did not match", "The name or the password is wrong. Check both and try again.")
        assert person.browser.part("name").attributes["value"] == name
        assert "value" not in person.browser.part("password").attributes
    assert pages[0] == pages[1]
    await person.enter_password()
    assert person.browser.path == "/connect"


async def test_one_request_at_a_time_reaches_the_phone(person: Person, wire: Wire) -> None:
    await person.pair_and_challenge()
    first = await person.phone.asked()
    async with person.in_another_browser() as other:
        await other.enter_password()
        assert other.browser.path == "/send"
        assert "disabled" in other.browser.part("send").attributes
        await other.send_challenge()
        assert other.browser.path == "/send"
        await person.phone.answer(first, Verdict.APPROVE)
        await other.wait()
        await other.browser.press("send")
        assert other.browser.path == "/wait"
        await person.phone.answer(await person.phone.asked(), Verdict.APPROVE)
        await other.wait()
        other.is_signed_in()
    assert len([each for each in wire.of(ChallengeIssued) if each.reply_key == person.account_id]) == 2


async def test_it_was_not_me_ends_every_login_that_waits(person: Person) -> None:
    await person.pair_and_challenge()
    async with person.in_another_browser() as other:
        await other.enter_password()
        waiting = asyncio.create_task(other.wait())
        await person.answer(Verdict.REPORT)
        expect_message(person, "Sign-in reported", "we ended all its sign-ins")
        await waiting
        expect_message(other, "Sign-in stopped", "we ended this one too")


async def test_cancelling_takes_the_request_back_from_the_phone(person: Person, wire: Wire) -> None:
    await person.pair_and_challenge()
    issued = await person.phone.asked()
    await person.browser.submit("/cancel")
    assert person.browser.path == "/ended"
    await wire.next(ChallengeEnded, lambda each: each.challenge_id == issued.challenge_id)
    await person.phone.answer(issued, Verdict.APPROVE)
    await person.browser.open("/account")
    assert person.browser.path != "/account"


@pytest.mark.parametrize(
    ("delivery", "device_name", "text"),
    [
        (Delivery.DELIVERED, "Pixel of Alex", "Your phone has it. Waiting for your answer."),
        (Delivery.UNDELIVERABLE, "", "We could not reach your phone. Open Salesforce Authenticator on it."),
    ],
)
async def test_a_waiting_page_shows_whether_the_notification_reached_the_phone(
    person: Person, wire: Wire, delivery: Delivery, device_name: str, text: str
) -> None:
    await person.enter_password()
    request = await person.request_pairing()
    assert person.browser.part("delivery").text == "On its way to your phone."
    await wire.publisher.publish_command(
        PushReceipt(
            challenge_id=request.pairing_id, reply_key=request.phrase_digest, device_name=device_name, delivery=delivery
        )
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        while text not in person.browser.part("delivery").text:
            await person.browser.open("/pair/wait")
    assert person.browser.part("device-name").text == (device_name or "your phone")


async def test_an_approval_signs_in_the_browser_that_asked_and_no_other(person: Person, login: InstanceProcess) -> None:
    await person.pair_and_challenge()
    async with TextBrowser(login.url) as stranger:
        for path in ("/wait", "/complete", "/account", "/pair"):
            await stranger.open(path)
            assert stranger.path == "/sign-in"
        await person.approve()
        for path in ("/account", "/complete", "/"):
            await stranger.open(path)
            assert stranger.path == "/sign-in"


async def test_what_kafka_knows_of_a_login_opens_it_in_no_other_browser(
    person: Person, stack: Stack, login: InstanceProcess
) -> None:
    await person.pair_and_challenge()
    async with administration(stack.connection, stack.topic_prefix, stack.secrets) as accounts:
        account = accounts.view.get(person.account_id)
    assert account is not None
    known = (account.logins[-1].login_id, account.logins[-1].login_digest, account.logins[-1].session_digest)

    async def nothing_opens() -> None:
        for cookie, value, path in product((LOGIN, SESSION), known, ("/", "/complete", "/account")):
            async with (
                aiohttp.ClientSession(cookies={cookie: f"{person.account_id}.{value}"}) as session,
                session.get(f"{login.url}{path}") as response,
            ):
                assert response.url.path == "/sign-in"

    await nothing_opens()
    await person.approve()
    await nothing_opens()


async def test_a_form_from_elsewhere_is_refused(person: Person, login: InstanceProcess) -> None:
    async with aiohttp.ClientSession() as session:
        fields = {"name": person.name, "password": PASSWORD, "csrf": "A" * 43}
        async with session.post(f"{login.url}/sign-in", data=fields) as answer:
            assert answer.status == 403
    await person.enter_password()
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
    await person.pair_and_challenge()
    await person.answer(Verdict.APPROVE)
    await person.sign_out()
    await person.browser.open("/account")
    assert person.browser.path == "/sign-in"


async def test_a_removed_account_is_gone_and_its_name_is_free(
    person: Person, stack: Stack, login: InstanceProcess
) -> None:
    await person.enter_password()
    async with administration(stack.connection, stack.topic_prefix, stack.secrets) as accounts:
        await accounts.remove(person.name)
        removed = present(accounts.view.get(person.account_id))
        await let_see(login.url, stack.secrets, removed)
        await person.browser.open("/connect")
        assert person.browser.path == "/sign-in"
        await person.enter_password()
        assert person.browser.status == 401
        await add_account(accounts, login.url, stack.secrets, person.name, PASSWORD)
    await person.enter_password()
    assert person.browser.path == "/connect"


async def test_a_completed_login_stays_so_at_an_instance_that_is_behind(person: Person, login: InstanceProcess) -> None:
    """The approval is newer than what the browser's last form led to, so that the next page has to wait for it, too."""
    await person.pair_and_challenge()
    before = person.browser.cookies
    await person.answer(Verdict.APPROVE)
    async with (
        aiohttp.ClientSession(cookies=before) as session,
        session.get(f"{login.url}/complete", allow_redirects=False) as answer,
    ):
        assert answer.headers["Location"] == "/account"
        assert version_of(answer.cookies[VERSION].value) > version_of(before[VERSION])


async def test_an_instance_waits_for_what_the_browser_has_seen_and_says_if_that_takes_too_long(
    person: Person, login: InstanceProcess, stack: Stack
) -> None:
    await person.enter_password()
    seen = person.browser.cookies[VERSION]
    account_id, version = version_of(seen)
    assert account_id == person.account_id
    async with aiohttp.ClientSession(cookies={VERSION: seen}) as session, session.get(f"{login.url}/sign-in") as answer:
        assert answer.status == 200
    ahead = {VERSION: sealed(stack.secrets, f"{account_id}.{version + 1}")}
    async with aiohttp.ClientSession(cookies=ahead) as session:
        waiting = asyncio.create_task(session.get(f"{login.url}/sign-in"))
        await person.enter_password("wrong wrong wrong")
        async with await waiting as answer:
            assert answer.status == 200
    ahead = {VERSION: sealed(stack.secrets, f"{account_id}.{version + 1000}")}
    async with aiohttp.ClientSession(cookies=ahead) as session, session.get(f"{login.url}/sign-in") as answer:
        assert answer.status == 503
