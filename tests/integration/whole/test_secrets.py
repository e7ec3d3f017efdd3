"""No secret that is shown, typed, kept or sent in cookies is in any record, log line, metric or span."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from deploy.local.stack import Stack, StackOptions
from lab.testkit.person import Person
from protocol.encoding import digest
from protocol.verification_codes import code_at, step_at
from services.login.admin import administration
from services.login.codes.recovery_codes import CODES
from services.login.pairing.enrolment_codes import new_invitation
from services.login.web.cookies import BROWSER, LOGIN, REMEMBERED, SESSION
from tests.builders import present
from tests.integration.whole.acting import PASSWORD, a_person
from tests.integration.whole.leaks import deployment_keys, find_leaks
from tests.integration.whole.records import all_records
from tests.otlp import Receiver
from tests.polling import eventually
from tests.scraping import scrape

NEW_PASSWORD = "a better horse than before"
WRONG_PASSWORDS = ("a wrong password", "another wrong one", "horse horse horse")
WRONG_RECOVERY_CODE = "QQQQQ-77777"
APP_SECRET = re.compile(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}")
RECOVERY_CODE = re.compile(r"\b[0-9A-Z]{5}-[0-9A-Z]{5}\b")
PLANTED = bytes(range(20))
PAGES = {f"POST {path}" for path in ("/sign-in", "/enrol", "/pair", "/code", "/account/app", "/account/password")}
"""Where secrets are typed."""


@pytest.fixture(scope="module")
def stack(stack_options: StackOptions, receiver: Receiver) -> Iterator[Stack]:
    """Give a running stack that asks for an enrolment code, and remembers browsers."""
    options = replace(
        stack_options, environment={"LOGIN_ENROLMENT": "invitation", "LOGIN_REMEMBER_DAYS": "1", **receiver.settings}
    )
    with Stack(options) as running:
        yield running


@dataclass
class Secretive:
    """A person who uses all secrets, and keeps a note of each.

    Attributes:
        person: The person, with browser and phone.
        notes: What must be found nowhere.

    """

    person: Person
    notes: set[str | bytes] = field(default_factory=set)

    async def submit(self, path: str, **fields: str) -> None:
        """Submit a form, and note the cookies that the browser has then, and the token of the page's forms."""
        await self.person.browser.submit(path, **fields)
        for name, value in self.person.browser.cookies.items():
            if name in {BROWSER, LOGIN, SESSION, REMEMBERED}:
                self.notes.add(value.rpartition(".")[2])

    async def type(self, path: str, code: str) -> None:
        """Type a code."""
        self.notes.add(code)
        await self.submit(path, code=code)

    async def sign_in(self, password: str, **wishes: str) -> None:
        """Enter name and password."""
        self.notes.add(password)
        await self.person.browser.open("/sign-in")
        await self.submit("/sign-in", name=self.person.name, password=password, **wishes)

    async def mistake_fields(self) -> None:
        """Type a password where the name belongs; a plain digest of it would tell it to who tries many."""
        typed = WRONG_PASSWORDS[0]
        await self.person.browser.open("/sign-in")
        await self.submit("/sign-in", name=typed, password=self.person.name)
        self.notes |= {typed, digest(typed.encode()), digest(f"name\x00{typed}".encode())}
        self.notes.add(digest(b"address\x00127.0.0.1"))

    async def enrol(self, invitation: str) -> None:
        """Come for the first time, with slips: the browser is at the account page."""
        await self.sign_in(WRONG_PASSWORDS[0])
        await self.sign_in(PASSWORD)
        await self.type("/enrol", new_invitation()[0])
        await self.type("/enrol", invitation)
        await self.person.pair()
        self.notes |= set(self.person.phrases)
        await self.submit("/challenge")
        await self.person.browser.open("/code")
        await self.type("/code", code_at(b"of another phone", 1))
        await self.person.browser.open("/wait")
        await self.person.approve()
        (account,) = self.person.phone.accounts
        self.notes.add(
            self.person.phone.store.agreement.code_secret(present(account.agreement), present(account.pairing_id))
        )

    async def add_app(self) -> None:
        """Add an authenticator app, the first code wrong."""
        await self.person.browser.open("/account/app")
        shown = APP_SECRET.search(self.person.browser.text)
        assert shown is not None, self.person.browser.text
        secret = base64.b32decode(shown[0].replace(" ", ""))
        self.notes |= {shown[0], secret}
        await self.type("/account/app", code_at(b"of another app", 1))
        await self.type("/account/app", code_at(secret, step_at(datetime.now(UTC))))
        assert self.person.browser.path == "/account", self.person.browser.text

    async def make_recovery_codes(self) -> list[str]:
        """Make recovery codes, and return them."""
        await self.submit("/account/recovery-codes")
        codes = RECOVERY_CODE.findall(self.person.browser.text)
        assert len(codes) == CODES, self.person.browser.text
        self.notes |= set(codes)
        return codes

    async def change_password(self) -> None:
        """Change the password, after one that is wrong and one that is weak."""
        self.notes |= {*WRONG_PASSWORDS, NEW_PASSWORD}
        await self.person.browser.open("/account/password")
        await self.submit("/account/password", old=WRONG_PASSWORDS[1], new=NEW_PASSWORD)
        await self.submit("/account/password", old=PASSWORD, new=WRONG_PASSWORDS[2])
        await self.submit("/account/password", old=PASSWORD, new=NEW_PASSWORD)
        assert self.person.browser.path == "/account", self.person.browser.text

    async def come_back(self, password: str, *codes: str, **wishes: str) -> None:
        """Sign out and in again by a code, the last one of some."""
        await self.submit("/sign-out")
        await self.sign_in(password, **wishes)
        await self.person.browser.open("/code")
        for code in codes:
            await self.type("/code", code)
        assert self.person.browser.path == "/account", self.person.browser.text

    def code_of_phone(self) -> str:
        """Return the code that the phone shows."""
        return self.person.phone.code()


async def test_no_secret_is_in_any_record_log_line_metric_or_span(stack: Stack, receiver: Receiver) -> None:
    async with (
        a_person(stack) as person,
        administration(stack.connection, stack.topic_prefix, stack.secrets) as accounts,
    ):
        keeper = Secretive(person)
        await keeper.mistake_fields()
        await keeper.enrol(await accounts.invite(person.name, timedelta(hours=1)))
        await keeper.add_app()
        recovery_codes = await keeper.make_recovery_codes()
        await keeper.come_back(PASSWORD, keeper.code_of_phone())
        await keeper.change_password()
        await keeper.come_back(NEW_PASSWORD, WRONG_RECOVERY_CODE, recovery_codes[0], remember="on")
        await keeper.submit("/sign-out")
        await keeper.sign_in(NEW_PASSWORD)
        assert person.browser.path == "/account", person.browser.text
    records = await all_records(stack)
    assert [each for each in records if person.name.encode() in each.key] == []
    content = b"\n".join(each.content for each in records)
    content += b"".join((stack.logs / f"{name}.log").read_bytes() for name in stack.instances)
    metrics = b"".join([(await scrape(instance)).text.encode() for instance in stack.instances.values()])
    await eventually(lambda: {each.name for each in receiver.spans} >= PAGES, "spans are missing")
    assert person.name.encode() not in metrics + receiver.content
    content += metrics + receiver.content
    # What a challenge's JWS holds is found, so a secret there would be.
    held = [person.name, "Firefox on Linux", '"purpose":"pairing"']
    assert find_leaks(held, content) == held
    assert find_leaks(keeper.notes | deployment_keys(stack.secrets), content) == []


@pytest.mark.parametrize(
    ("secret", "content"),
    [
        ("correct horse", b'{"a": "Correct Horse"}'),
        ("crimson otter", b"crimson-otter"),
        ("ABCDE-12345", b"abcde12345"),
        ("123456", b'{"code":"123456","at":"10:00:00.654321"}'),
        ("123456", b"eyJ." + base64.urlsafe_b64encode(b'{"code": 123456}') + b".c2ln"),
        (PLANTED, b"x" + PLANTED + b"y"),
        (PLANTED, PLANTED.hex().encode()),
        (PLANTED, base64.b32encode(PLANTED)),
        (PLANTED, base64.b64encode(PLANTED)),
        (PLANTED, base64.urlsafe_b64encode(PLANTED)),
    ],
)
def test_the_search_finds_a_secret_however_it_is_written(secret: str | bytes, content: bytes) -> None:
    assert find_leaks([secret], content) == [secret]


@pytest.mark.parametrize("content", [b"10:00:00.123456", b"1123456", b"a123456f"])
def test_the_search_takes_no_other_number_for_a_code(content: bytes) -> None:
    assert find_leaks(["123456"], content) == []
