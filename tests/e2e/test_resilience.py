"""Services that are killed while a person waits, and second instances beside the first ones."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from authenticator.device.state import PhraseRequest, State
from authenticator.device.store import MemoryStore
from deploy.local.stack import SERVICES
from lab.testkit.phone import PocketPhone
from tests.e2e.browser_page import BrowserPage
from tests.e2e.console_errors import OUTAGE
from tests.e2e.phone import NAME, issue_phrase
from tests.e2e.scenario import Scenario
from tests.e2e.stacks import Site
from tests.polling import DEADLINE_SECONDS

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.site("fragile")]


async def crash(scenario: Scenario, service: str) -> None:
    """Kill a service and start it again."""
    scenario.console_errors.tolerate(OUTAGE)
    await asyncio.to_thread(scenario.stack.kill_service, service)
    await asyncio.to_thread(scenario.stack.restart_service, service)


async def outcome(computer: BrowserPage) -> str:
    """Return the result of a code: the account's name, or a message's title."""
    return await computer.page.locator("[data-testid=account-name], [data-testid=notice-title]").first.inner_text()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_crashes_while_people_wait_for_their_phones(scenario: Scenario, service: str) -> None:
    newcomer, computer, phone = await scenario.a_person(), await scenario.a_computer(), await scenario.a_phone()
    await computer.go_to_pairing(newcomer)
    await computer.connect_device(await phone.new_phrase())
    await phone.reads("Connect this account?")
    await computer.reads("ACCEPT ON YOUR PHONE")
    other_computer, other_phone = await scenario.a_computer(), await scenario.a_phone()
    regular = await scenario.paired(other_phone)
    await other_computer.sign_in(regular)
    await other_phone.reads("Approve this sign-in?")
    await other_computer.reads("CHECK YOUR PHONE")

    await crash(scenario, service)

    await other_computer.complete_sign_in(regular, other_phone)
    await phone.accept_pairing()
    await computer.reads("DEVICE PAIRING SUCCESSFUL")
    await computer.press("ok")
    await computer.complete_sign_in(newcomer, phone)


@pytest.mark.parametrize("script", ["wait.js", "countdown.js"])
async def test_a_waiting_page_goes_on_whose_script_was_lost_in_a_crash(scenario: Scenario, script: str) -> None:
    computer, phone = await scenario.a_computer(), await scenario.a_phone()
    person = await scenario.paired(phone)
    scenario.console_errors.tolerate(OUTAGE)
    await computer.page.route(f"**/{script}", lambda route: route.abort("connectionreset"), times=1)
    await computer.sign_in(person)
    await computer.complete_sign_in(person, phone)


@pytest.fixture(scope="module")
def second_instances(site: Site) -> None:
    """Start a second instance of each service beside the first."""
    with ThreadPoolExecutor() as threads:
        list(threads.map(site.stack.start_second_instance, SERVICES))


@pytest.mark.usefixtures("second_instances")
async def test_computer_and_phone_at_second_instances_complete_the_flow(scenario: Scenario) -> None:
    person, computer = await scenario.a_person(), await scenario.a_computer("login-2")
    phone = await scenario.a_phone("push-2")
    await computer.go_to_pairing(person)
    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.press("ok")
    await computer.complete_sign_in(person, phone)


@pytest.mark.usefixtures("second_instances")
async def test_of_two_browsers_that_send_one_code_at_once_exactly_one_gets_in(scenario: Scenario) -> None:
    phone = await scenario.a_pocket_phone()
    person = await scenario.paired(phone)
    computers = [await scenario.a_computer(instance) for instance in ("login", "login-2")]
    for computer in computers:
        await computer.sign_in(person)
        await computer.press("use-code")
    code = phone.code()
    for computer in computers:
        await computer.part("code").fill(code)
    await asyncio.gather(*(computer.press("submit") for computer in computers))
    outcomes = [await outcome(computer) for computer in computers]
    assert sorted(outcomes) == sorted([person.name, "This code was already used"])


@pytest.mark.usefixtures("second_instances")
async def test_a_phrase_of_the_second_pairing_instance_pairs_at_the_first_ones(scenario: Scenario) -> None:
    person, computer = await scenario.a_person(), await scenario.a_computer()
    store = MemoryStore(State(device_name=NAME, url=scenario.stack.urls["push"]))
    asked_at = datetime.now(UTC)
    issued = await issue_phrase(scenario.stack.urls["pairing-2"], store.key)
    store.update(lambda state: state.with_phrase(PhraseRequest(asked_at=asked_at, expires_at=issued.expires_at)))
    phone = await scenario.exits.enter_async_context(PocketPhone(store, patience_seconds=DEADLINE_SECONDS))
    await computer.go_to_pairing(person)
    await computer.connect_device(issued.phrase)
    await phone.accept_pairing()
    await computer.press("ok")
    await computer.complete_sign_in(person, phone)


@pytest.mark.usefixtures("second_instances")
async def test_a_sign_in_that_began_at_one_instance_is_finished_at_the_other(scenario: Scenario) -> None:
    person, first, phone = (await scenario.a_person(), await scenario.a_computer(), await scenario.a_pocket_phone())
    await first.go_to_pairing(person)
    second = await scenario.a_window(first.page.context, "login-2")
    await second.open()
    await second.reads("CONNECT SALESFORCE AUTHENTICATOR")
    await second.press("submit")
    await second.connect_device(await phone.new_phrase())
    await first.open()
    await first.reads("ACCEPT ON YOUR PHONE")
    await phone.accept_pairing()
    await first.press("ok")
    await phone.approve(await second.number())
    await first.is_signed_in(person)
    await second.is_signed_in(person)
    await second.press("sign-out")
    await first.open()
    await first.reads("SIGN IN")
