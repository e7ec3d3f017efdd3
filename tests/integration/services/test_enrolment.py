"""Where the first pairing needs more than the password: a code by e-mail, or one that an administrator hands out."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage

import pytest

from deploy.local.instance_process import InstanceProcess
from deploy.local.ports import free_port
from deploy.local.stack import Stack
from lab.testkit.text_browser import TextBrowser
from schemas.contract import DeviceUnpaired
from services.login.admin import Administration, administration
from tests.accounts import let_see
from tests.integration.services.login.people import PASSWORD, Person, PlayedPhone, a_name, expect_message, message
from tests.integration.services.wire import Wire
from tests.polling import eventually
from tests.smtp import PostOffice, a_mail_server

MAIL_PORT = free_port()
MOST_MAILS = 5
A_DAY = timedelta(days=1)
TRIES = 5


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Ask for a code by e-mail, or for an administrator's where an account has no address."""
    return {
        "LOGIN_ENROLMENT": "email",
        "LOGIN_SMTP_HOST": "localhost",
        "LOGIN_SMTP_PORT": str(MAIL_PORT),
        "LOGIN_SMTP_SECURITY": "none",
        "LOGIN_MAIL_FROM": "accounts@example.org",
    }


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    """Give what the mail server took."""
    with a_mail_server(port=MAIL_PORT) as (office, _):
        yield office


@pytest.fixture
async def accounts(stack: Stack, run: Callable[[str], InstanceProcess]) -> AsyncIterator[Administration]:
    """Give the administrator of the running login service."""
    run("login")
    async with administration(stack.connection, stack.topic_prefix, stack.secrets) as accounts:
        yield accounts


@asynccontextmanager
async def a_person(
    stack: Stack, wire: Wire, accounts: Administration, *, with_email: bool = False
) -> AsyncIterator[Person]:
    """Give a person with an account, perhaps with an e-mail address, who has entered the password."""
    name = a_name()
    account = await accounts.add(name, PASSWORD, email=f"{name}@example.org" if with_email else "")
    await let_see(stack.urls["login"], stack.secrets, account)
    async with TextBrowser(stack.urls["login"]) as browser:
        person = Person(account, browser, wire, PlayedPhone(wire, stack.secrets))
        await person.enter_password()
        browser.expect("ONE MORE STEP")
        yield person


@pytest.fixture
async def person(stack: Stack, wire: Wire, accounts: Administration) -> AsyncIterator[Person]:
    """Give a person without an e-mail address at the page that asks for the administrator's code."""
    async with a_person(stack, wire, accounts) as person:
        yield person


@pytest.fixture
async def reader(stack: Stack, wire: Wire, accounts: Administration) -> AsyncIterator[Person]:
    """Give a person with an e-mail address at the page that sends a code there."""
    async with a_person(stack, wire, accounts, with_email=True) as person:
        yield person


async def mails(office: PostOffice, person: Person, count: int) -> list[EmailMessage]:
    """Wait for so many e-mails to a person; return them, the oldest first."""

    def come() -> list[EmailMessage]:
        return [each for each in office.messages if each["To"] == f"{person.name}@example.org"]

    await eventually(lambda: len(come()) >= count)
    return come()


def code_in(mail: EmailMessage) -> str:
    """Return the code of an e-mail, as it is written there."""
    found = re.search(r"^ +(\d{3}\s\d{3})\s*$", mail.get_content(), re.MULTILINE)
    assert found is not None, mail.get_content()
    return found[1]


async def test_a_code_by_e_mail_admits_to_the_first_pairing(reader: Person, office: PostOffice) -> None:
    assert f"{reader.name[0]}…@example.org" in reader.browser.text
    assert not reader.browser.has("code")
    await reader.browser.press("send-code")
    (mail,) = await mails(office, reader, 1)
    await reader.browser.press("submit", code=code_in(mail)[::-1])
    expect_message(reader, "That code did not match", "in the latest e-mail")
    await reader.browser.press("submit", code=code_in(mail))
    await reader.accept_pairing(reader.phone)


async def test_only_the_latest_e_mail_s_code_is_taken_and_few_are_sent(reader: Person, office: PostOffice) -> None:
    for count in range(1, MOST_MAILS + 1):
        await reader.browser.press("send-code")
        sent = await mails(office, reader, count)
    await reader.browser.press("send-code")
    expect_message(reader, "No more e-mails for now", "Look for the latest one in your inbox")
    await reader.browser.press("submit", code=code_in(sent[0]))
    expect_message(reader, "That code did not match")
    await reader.browser.press("submit", code=code_in(sent[-1]))
    reader.browser.expect("CONNECT SALESFORCE AUTHENTICATOR")


async def test_an_e_mailed_code_admits_only_the_browser_that_asked_for_it(reader: Person, office: PostOffice) -> None:
    async with reader.in_another_browser() as thief:
        await thief.enter_password()
        await reader.browser.press("send-code")
        (mail,) = await mails(office, reader, 1)
        await thief.browser.press("send-code")
        await mails(office, reader, 2)
        await thief.browser.press("submit", code=code_in(mail))
        expect_message(thief, "That code did not match")
        await reader.browser.press("submit", code=code_in(mail))
        reader.browser.expect("CONNECT SALESFORCE AUTHENTICATOR")


async def test_an_administrator_s_code_admits_to_the_first_pairing(person: Person, accounts: Administration) -> None:
    code = await accounts.invite(person.name, A_DAY)
    for path in ("/connect", "/pair", "/send", "/code", "/account"):
        await person.browser.open(path)
        person.browser.expect("ONE MORE STEP")
    await person.browser.press("submit", code=f" {code.lower().replace('-', ' ')} ")
    person.browser.expect("CONNECT SALESFORCE AUTHENTICATOR")
    await person.accept_pairing(person.phone)
    await person.send_challenge()
    await person.approve()
    assert "Enrolment code issued by an administrator" in person.browser.text


async def test_a_wrong_enrolment_code_says_so_and_five_pause(person: Person) -> None:
    for _ in range(TRIES - 1):
        await person.browser.press("submit", code="AAAA-BBBB-CCCC-DDDD")
        expect_message(person, "That code did not match", "from your administrator")
    await person.browser.press("submit", code="AAAA-BBBB-CCCC-DDDD")
    for _ in range(2):
        title, text = message(person)
        assert title == "Codes are paused"
        assert re.search(r"you can try again in \d+ seconds?\.", text)
        assert person.browser.part("countdown").attributes["data-at-end"] == "/enrol"
        assert "disabled" in person.browser.part("code").attributes
        await person.browser.open("/enrol")


async def test_an_enrolment_code_admits_one_browser_only(person: Person, accounts: Administration) -> None:
    code = await accounts.invite(person.name, A_DAY)
    async with person.in_another_browser() as other:
        await other.enter_password()
        await person.browser.press("submit", code=code)
        await other.browser.press("submit", code=code)
        person.browser.expect("CONNECT SALESFORCE AUTHENTICATOR")
        expect_message(other, "That code did not match")


async def test_a_newer_code_takes_the_place_of_an_older_one(person: Person, accounts: Administration) -> None:
    old = await accounts.invite(person.name, A_DAY)
    new = await accounts.invite(person.name, A_DAY)
    await person.browser.press("submit", code=old)
    expect_message(person, "That code did not match")
    await person.browser.press("submit", code=new)
    person.browser.expect("CONNECT SALESFORCE AUTHENTICATOR")


async def test_after_a_reset_the_owner_enrols_anew(person: Person, wire: Wire, accounts: Administration) -> None:
    await person.browser.press("submit", code=await accounts.invite(person.name, A_DAY))
    await person.accept_pairing(person.phone)
    await person.send_challenge()
    await person.approve()
    await accounts.reset(person.name)
    await wire.next(DeviceUnpaired, lambda each: each.device_id == person.phone.device_id)
    await person.browser.open("/account")
    assert person.browser.path == "/sign-in"
    await person.enter_password()
    person.browser.expect("ONE MORE STEP")
    await person.browser.press("submit", code=await accounts.invite(person.name, A_DAY))
    person.browser.expect("CONNECT SALESFORCE AUTHENTICATOR")


async def test_browsers_are_not_remembered_unless_the_operator_wants_that(person: Person) -> None:
    await person.browser.press("cancel")
    await person.browser.press("sign-in-again")
    assert person.browser.has("name")
    assert not person.browser.has("remember")
