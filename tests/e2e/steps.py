"""The steps of a sign-in, each as a scenario in which a computer has come just so far."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from lab.testkit.phone import PocketPhone
from schemas.contract import Verdict
from tests.e2e.browser_page import BrowserPage, Credentials
from tests.e2e.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Standing:
    """A sign-in that has come to a step."""

    person: Credentials
    phone: PocketPhone


Reach = Callable[[Scenario, BrowserPage], Awaitable[Standing]]
Finish = Callable[[BrowserPage, Standing], Awaitable[None]]
Stale = Callable[[BrowserPage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class FlowPage:
    """A step of a sign-in.

    Attributes:
        heading: The heading of its page.
        path: The page's address.
        before: The heading that the back button leads to.
        allowed: The headings that any other address of a sign-in may lead to.
        reach: Brings a computer there.
        finish: Completes the sign-in from there.
        stale: Goes on from its page after another tab has finished; None where the page goes on by itself.

    """

    heading: str
    path: str
    before: str
    allowed: frozenset[str]
    reach: Reach
    finish: Finish
    stale: Stale | None = None


async def reach_connect(scenario: Scenario, computer: BrowserPage) -> Standing:
    """Sign in without a phone."""
    standing = Standing(await scenario.a_person(), await scenario.a_pocket_phone())
    await computer.sign_in(standing.person)
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")
    return standing


async def reach_pair(scenario: Scenario, computer: BrowserPage) -> Standing:
    """Go on to PAIR A DEVICE."""
    standing = await reach_connect(scenario, computer)
    await computer.press("submit")
    await computer.reads("PAIR A DEVICE")
    return standing


async def reach_pair_wait(scenario: Scenario, computer: BrowserPage) -> Standing:
    """Enter the phrase."""
    standing = await reach_pair(scenario, computer)
    await computer.connect_device(await standing.phone.new_phrase())
    await computer.reads("ACCEPT ON YOUR PHONE")
    return standing


async def reach_paired(scenario: Scenario, computer: BrowserPage) -> Standing:
    """Accept the pairing."""
    standing = await reach_pair_wait(scenario, computer)
    await standing.phone.accept_pairing()
    await computer.reads("DEVICE PAIRING SUCCESSFUL")
    return standing


async def reach_wait(scenario: Scenario, computer: BrowserPage) -> Standing:
    """Click OK."""
    standing = await reach_paired(scenario, computer)
    await computer.press("ok")
    await computer.reads("CHECK YOUR PHONE")
    return standing


async def reach_send(scenario: Scenario, computer: BrowserPage) -> Standing:
    """Sign in while the phone is asked for another sign-in."""
    phone = await scenario.a_pocket_phone()
    standing = Standing(await scenario.paired(phone), phone)
    other = await scenario.a_visitor(standing.person)
    await other.enter_password()
    other.browser.expect("CHECK YOUR PHONE")
    await computer.sign_in(standing.person)
    await computer.reads("ONE REQUEST AT A TIME")
    return standing


async def reach_ended(scenario: Scenario, computer: BrowserPage) -> Standing:
    """Decline the sign-in on the phone."""
    phone = await scenario.a_pocket_phone()
    standing = Standing(await scenario.paired(phone), phone)
    await computer.sign_in(standing.person)
    await phone.answer(Verdict.DENY)
    await computer.reads("Sign-in declined")
    return standing


async def reach_account(scenario: Scenario, computer: BrowserPage) -> Standing:
    """Approve the sign-in."""
    phone = await scenario.a_pocket_phone()
    standing = Standing(await scenario.paired(phone), phone)
    await computer.sign_in(standing.person)
    await computer.complete_sign_in(standing.person, phone)
    return standing


async def finish_connect(computer: BrowserPage, standing: Standing) -> None:
    """Go on to PAIR A DEVICE, and on from there."""
    await computer.press("submit")
    await finish_pair(computer, standing)


async def finish_pair(computer: BrowserPage, standing: Standing) -> None:
    """Enter a phrase, and go on from there."""
    await computer.connect_device(await standing.phone.new_phrase())
    await finish_pair_wait(computer, standing)


async def finish_pair_wait(computer: BrowserPage, standing: Standing) -> None:
    """Accept on the phone, and go on from there."""
    await standing.phone.accept_pairing()
    await finish_paired(computer, standing)


async def finish_paired(computer: BrowserPage, standing: Standing) -> None:
    """Click OK, and go on from there."""
    await computer.press("ok")
    await finish_wait(computer, standing)


async def finish_wait(computer: BrowserPage, standing: Standing) -> None:
    """Approve on the phone."""
    await standing.phone.approve(await computer.number())
    await finish_account(computer, standing)


async def finish_send(computer: BrowserPage, standing: Standing) -> None:
    """Answer the other request, and send this one."""
    await standing.phone.answer(Verdict.DENY)
    await computer.press("send")
    await finish_wait(computer, standing)


async def finish_ended(computer: BrowserPage, standing: Standing) -> None:
    """Sign in again."""
    await computer.press("sign-in-again")
    await computer.enter(standing.person.name, standing.person.password)
    await finish_wait(computer, standing)


async def finish_account(computer: BrowserPage, standing: Standing) -> None:
    """Be signed in."""
    await computer.is_signed_in(standing.person)


async def go_on(computer: BrowserPage) -> None:
    """Click Continue."""
    await computer.press("submit")


async def enter_any_phrase(computer: BrowserPage) -> None:
    """Enter a phrase on a page that is stale."""
    await computer.connect_device("any words")


async def start_again(computer: BrowserPage) -> None:
    """Click Sign in again."""
    await computer.press("sign-in-again")


def _step(heading: str, path: str, reach: Reach, finish: Finish, stale: Stale | None = None) -> FlowPage:
    """Return a step whose sign-in has that one page."""
    return FlowPage(heading, path, heading, frozenset({heading}), reach, finish, stale)


CONNECT: Final = "CONNECT SALESFORCE AUTHENTICATOR"
PAIR: Final = "PAIR A DEVICE"
BOTH: Final = frozenset({CONNECT, PAIR})
ENDED: Final = "Sign-in declined"
STEPS: Final = {
    "connect": FlowPage(CONNECT, "/connect", CONNECT, BOTH, reach_connect, finish_connect, go_on),
    "pair": FlowPage(PAIR, "/pair", CONNECT, BOTH, reach_pair, finish_pair, enter_any_phrase),
    "pair wait": _step("ACCEPT ON YOUR PHONE", "/pair/wait", reach_pair_wait, finish_pair_wait),
    "paired": _step("DEVICE PAIRING SUCCESSFUL", "/pair/done", reach_paired, finish_paired),
    "wait": _step("CHECK YOUR PHONE", "/wait", reach_wait, finish_wait),
    "send": _step("ONE REQUEST AT A TIME", "/send", reach_send, finish_send),
    "ended": FlowPage(
        ENDED, "/ended", "SIGN IN", frozenset({ENDED, "SIGN IN"}), reach_ended, finish_ended, start_again
    ),
    "account": _step("YOUR ACCOUNT", "/account", reach_account, finish_account),
}
