"""Runs the flow of the product from the password to the second sign-in, and prints each step and each Kafka record.

Exits 0 only if every step happened and nothing was set aside.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from authenticator.device.phone import VirtualPhone
from deploy.local.stack import Stack, StackOptions
from lab.demo.records import Records
from lab.testkit.text_browser import PageError, TextBrowser
from schemas.contract import Purpose, Verdict
from services.common.telemetry.logs import show_warnings_only
from services.login.admin import administration

NAME: Final = "demo"
EXPECTED: Final = (
    "countersign.login.create_account.v1",
    "countersign.pairing.issue_phrase.v1",
    "countersign.pairing.requested.v1",
    "countersign.auth.challenge.v1",
    "countersign.auth.response.v1",
    "countersign.device.paired.v1",
    "countersign.auth.challenge.v1",
    "countersign.auth.response.v1",
    "countersign.auth.challenge.v1",
    "countersign.auth.response.v1",
)
"""What must pass through Kafka, in this order, with other records between."""
ANSWER_SECONDS: Final = 30.0
console = Console(highlight=False)


class MissingStepError(Exception):
    """A step that did not happen."""


class Demo:
    """The flow, acted out."""

    def __init__(self, stack: Stack, records: Records) -> None:
        self._stack = stack
        self._records = records
        self._password = secrets.token_urlsafe(12)

    async def run(self) -> None:
        """Act everything out."""
        async with administration(self._stack.bootstrap, "") as accounts:
            await accounts.add(NAME, self._password, "Demo")
        await self._step(f"an administrator adds the account {NAME}")
        async with (
            TextBrowser(self._stack.urls["login"]) as browser,
            VirtualPhone.in_memory(self._stack.urls["push"], "Terminal phone") as phone,
        ):
            await self._pair(browser, phone)
            await self._approve(browser, phone)
            await browser.submit("/sign-out")
            await self._step("the person signs out")
            await self._sign_in(browser)
            await self._step("the person signs in again: password, then straight to the request on the phone")
            await self._approve(browser, phone)
            await browser.submit("/sign-out")
            await self._enter_code(browser, phone)

    async def _enter_code(self, browser: TextBrowser, phone: VirtualPhone) -> None:
        await self._sign_in(browser)
        await browser.open("/code")
        (account,) = phone.store.read().accounts
        await browser.submit("/code", code=phone.code(account).code)
        browser.expect("YOUR ACCOUNT")
        await self._step("the person signs out, and in again by a verification code of the phone instead")

    async def _sign_in(self, browser: TextBrowser) -> None:
        await browser.open("/sign-in")
        await browser.submit("/sign-in", name=NAME, password=self._password)

    async def _pair(self, browser: TextBrowser, phone: VirtualPhone) -> None:
        await self._sign_in(browser)
        browser.expect("CONNECT SALESFORCE AUTHENTICATOR")
        await self._step("1  the person signs in with name and password: CONNECT SALESFORCE AUTHENTICATOR")
        await browser.open("/pair")
        browser.expect("PAIR A DEVICE")
        await self._step("2  the person goes on: PAIR A DEVICE")
        issued = await phone.new_phrase()
        await self._step(f"3  the person taps + New Account on the phone, which shows: {issued.phrase}")
        await browser.submit("/pair", phrase=issued.phrase.upper())
        await self._step("4  the person enters the phrase and clicks CONNECT DEVICE; the phone is notified")
        await self._answer(phone, Purpose.PAIRING)
        await browser.wait()
        browser.expect("DEVICE PAIRING SUCCESSFUL")
        await self._step("5  the person accepts on the phone: DEVICE PAIRING SUCCESSFUL")
        await browser.submit("/challenge")
        await self._step("6  the person clicks OK; the authentication request goes to the phone")

    async def _approve(self, browser: TextBrowser, phone: VirtualPhone) -> None:
        await self._answer(phone, Purpose.LOGIN, browser.number)
        await browser.wait()
        if browser.path == "/complete":
            await browser.open("/complete")
        if browser.path != "/account":
            message = f"not signed in: {browser.path}: {browser.text}"
            raise MissingStepError(message)
        await self._step("   the person approves on the phone: signed in, the account page is there")

    async def _answer(self, phone: VirtualPhone, purpose: Purpose, number: int | None = None) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            async for request in phone.requests():
                if request.claims.purpose is not purpose:
                    message = f"the phone was asked for {request.claims.purpose}, not for {purpose}"
                    raise MissingStepError(message)
                asked = request.claims
                console.print(f"   [dim]phone:[/] {asked.service} asks for {asked.account_name}, {asked.browser.name}")
                if number is not None:
                    console.print(f"   [dim]phone:[/] the person enters the number that the computer shows: {number}")
                await phone.answer(request, Verdict.APPROVE, number=number)
                return

    async def _step(self, title: str) -> None:
        console.print(f"[bold]{title}[/]")
        await self._records.show_new()


def check_order(types: list[str]) -> None:
    """Check that all expected records passed, in order.

    Raises:
        MissingStepError: If one is missing.

    """
    passed = iter(types)
    for expected in EXPECTED:
        if expected not in passed:
            message = f"the record {expected} is missing or out of order in: {types}"
            raise MissingStepError(message)


async def act(stack: Stack) -> None:
    """Act the demo out on a running stack.

    Raises:
        MissingStepError: If a step did not happen.
        PageError: If the browser got another page than expected.

    """
    records = Records(stack.bootstrap, "", lambda line: console.print(f"     [cyan]{line}[/]"))
    await records.start()
    try:
        await Demo(stack, records).run()
        await records.show_new()
    finally:
        await records.stop()
    check_order(records.types)
    if records.dead_letters:
        message = f"{records.dead_letters} records were set aside"
        raise MissingStepError(message)
    console.print(f"[bold green]Every step happened[/]; {len(records.types)} records passed, none was set aside.")


def main() -> int:
    """Start a stack of its own, act the demo out, and stop it."""
    argparse.ArgumentParser(prog="make demo", description=__doc__).parse_args()
    show_warnings_only()
    with tempfile.TemporaryDirectory(prefix="countersign-demo-") as directory:
        console.print("Starting Kafka and the services on free ports…")
        with Stack(StackOptions(Path(directory), short_lived=True)) as stack:
            try:
                asyncio.run(act(stack))
            except (MissingStepError, PageError, TimeoutError) as error:
                console.print(f"[bold red]The demo failed:[/] {error or 'the phone was not asked in time'}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
