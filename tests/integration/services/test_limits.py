"""What strangers learn and hold up at the sign-in form: whole answers are compared, and bursts are sent."""

import asyncio
import re
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

import pytest
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar
from yarl import URL

from deploy.local.instance_process import InstanceProcess
from deploy.local.stack import SERVICES, Stack
from services.login.admin import administration
from tests.accounts import add_account
from tests.integration.whole.acting import a_person

PASSWORD: Final = "marsh lantern copper 41"
WRONG: Final = "wrong wrong wrong"
NETWORKS: Final = iter(range(1, 60_000))


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Let a test say where a request comes from."""
    return {"LOGIN_TRUSTED_PROXIES": "1"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its status, the headers and the page, without what is new in each."""

    status: int
    headers: tuple[tuple[str, str], ...]
    text: str


@dataclass(slots=True)
class Stranger:
    """A browser of its own, at an address of its own."""

    session: ClientSession
    url: str
    address: str

    async def sign_in(self, name: str, password: str) -> Answer:
        """Send the form, in a browser without any cookie before."""
        forwarded = {"X-Forwarded-For": self.address, "User-Agent": "test"}
        async with self.session.get(f"{self.url}/sign-in", headers=forwarded) as page:
            text = await page.text()
            cookies = {name: each.value for name, each in page.cookies.items()}
        (token,) = re.findall(r'name="csrf" value="([^"]+)"', text)
        form = {"csrf": token, "name": name, "password": password}
        async with self.session.post(
            f"{self.url}/sign-in", data=form, cookies=cookies, headers=forwarded, allow_redirects=False
        ) as answer:
            return Answer(answer.status, _headers(answer.headers.items()), _plain(await answer.text(), name))


def _headers(items: object) -> tuple[tuple[str, str], ...]:
    """Return headers without what differs by chance: times, the length, and the cookies' values."""
    kept = []
    for name, value in items:  # type: ignore[attr-defined]
        if name == "Set-Cookie":
            kept.append((name, re.sub(r"=[^;]+", "=", value, count=1)))
        elif name == "Retry-After":
            kept.append((name, "N"))
        elif name not in {"Date", "Content-Length"}:
            kept.append((name, value))
    return tuple(sorted(kept))


def _plain(text: str, name: str) -> str:
    """Return a page without its tokens, the name that was typed, and the seconds that are left."""
    return re.sub(r"\b\d+\b", "N", re.sub(r'value="[A-Za-z0-9_-]{43}"', "", text).replace(name, "NAME"))


@pytest.fixture
async def stranger(run: Callable[[str], InstanceProcess]) -> AsyncIterator[Callable[[], Stranger]]:
    """Give browsers at other addresses."""
    instance = run("login")
    async with ClientSession(cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=30)) as session:

        def another() -> Stranger:
            number = next(NETWORKS)
            return Stranger(session, instance.url, f"198.51.{number // 250}.{number % 250 + 1}")

        yield another


@pytest.fixture
async def name(stack: Stack, run: Callable[[str], InstanceProcess]) -> str:
    """Make an account without a phone, and give its name."""
    name, url = f"anna-{uuid.uuid4().hex[:8]}", run("login").url
    async with administration(stack.connection, stack.topic_prefix, stack.secrets) as accounts:
        await add_account(accounts, url, stack.secrets, name, PASSWORD)
    return name


def _made_up() -> str:
    return f"nora-{uuid.uuid4().hex[:8]}"


async def test_existing_and_unknown_names_get_the_same_whole_answers(
    stranger: Callable[[], Stranger], name: str
) -> None:
    unknown = _made_up()
    for _ in range(7):
        existing = await stranger().sign_in(name, WRONG)
        assert existing == await stranger().sign_in(unknown, WRONG)
    assert existing.status == 429


async def test_a_paused_account_does_not_tell_the_right_password(stranger: Callable[[], Stranger], name: str) -> None:
    for _ in range(5):
        paused = await stranger().sign_in(name, WRONG)
    assert paused.status == 429
    right, wrong = stranger(), stranger()
    for guesser, last in ((right, PASSWORD), (wrong, WRONG)):
        answers = [await guesser.sign_in(name, each) for each in (*[WRONG] * 18, last)]
        assert {each.status for each in answers} == {429}
    assert await right.sign_in(name, PASSWORD) == await wrong.sign_in(name, WRONG)
    # The addresses are counted alike, so the next tries tell nothing either.
    for _ in range(3):
        unknown = _made_up()
        assert await right.sign_in(unknown, WRONG) == await wrong.sign_in(unknown, WRONG)


async def test_a_burst_from_one_address_gets_no_more_tries_than_one_after_the_other(
    stranger: Callable[[], Stranger],
) -> None:
    crowd = stranger()
    answers = await asyncio.gather(*(crowd.sign_in(_made_up(), WRONG) for _ in range(80)))
    by_status = Counter(each.status for each in answers)
    assert by_status[401] <= 20
    assert by_status[429] + by_status[503] == 80 - by_status[401]
    assert (await crowd.sign_in(_made_up(), WRONG)).status == 429


async def test_the_owner_s_browser_signs_in_at_a_network_that_is_paused(
    stranger: Callable[[], Stranger], stack: Stack, run: Callable[[str], InstanceProcess]
) -> None:
    for service in SERVICES:
        run(service)
    async with a_person(stack) as owner:
        await owner.first_sign_in()
        await owner.sign_out()
        neighbour = stranger()
        neighbour.address = "127.0.0.1"
        statuses = [(await neighbour.sign_in(_made_up(), WRONG)).status for _ in range(22)]
        assert statuses[-1] == 429
        await owner.sign_in()


async def test_the_addresses_of_one_subscriber_share_their_tries(stranger: Callable[[], Stranger]) -> None:
    first, number = stranger(), next(NETWORKS)
    statuses = []
    for host in range(22):
        first.address = f"2001:db8:{number:x}:1::{host + 1:x}"
        statuses.append((await first.sign_in(_made_up(), WRONG)).status)
    assert statuses == [401] * 20 + [429] * 2


async def test_right_passwords_make_up_for_wrong_ones(stranger: Callable[[], Stranger], name: str) -> None:
    office = stranger()
    for _ in range(6):
        statuses = [(await office.sign_in(_made_up(), WRONG)).status for _ in range(4)]
        assert statuses == [401] * 4
        for _ in range(4):
            answer = await office.sign_in(name, PASSWORD)
            if answer.status == 429:  # enough sign-ins of one account for now
                return
            assert answer.status == 303


async def test_an_honest_sign_in_gets_through_a_crowd_that_hashes(stranger: Callable[[], Stranger], name: str) -> None:
    crowd = [stranger() for _ in range(10)]
    attack = asyncio.gather(*(each.sign_in(_made_up(), WRONG) for each in crowd for _ in range(7)))
    answer = await stranger().sign_in(name, PASSWORD)
    assert answer.status == 303
    location = dict(answer.headers)["Location"]
    assert URL(location).path in {"/connect", "/enrol", "/pair"}
    await attack
