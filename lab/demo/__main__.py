"""Runs the flow of the product from the password to the second sign-in, and prints each step and each Kafka record.

Exits 0 only if every step happened and there is no dead letter.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console

from authenticator.device.challenges import DeviceChallenge
from deploy.local.stack import Stack, StackOptions
from lab.demo.records import Records
from lab.testkit.page import PageError
from lab.testkit.person import Person
from lab.testkit.phone import ChallengeError, PocketPhone
from lab.testkit.text_browser import TextBrowser
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
console = Console(highlight=False)


class MissingStepError(Exception):
    """A record that did not pass as it must. The text says which."""


class NarratedPhone(PocketPhone):
    """A phone that prints what it shows, and what its owner enters."""

    async def answer(
        self, verdict: Verdict, purpose: Purpose = Purpose.LOGIN, number: int | None = None
    ) -> DeviceChallenge:
        """Answer the next challenge."""
        challenge = await self.challenge(purpose)
        claims = challenge.claims
        console.print(f"   [dim]phone:[/] {claims.service} asks for {claims.account_name}, {claims.browser.name}")
        if number is not None:
            console.print(f"   [dim]phone:[/] the person enters the number that the computer shows: {number}")
        await self.virtual.answer(challenge, verdict, number)
        return challenge


class Demo:
    """The flow, step by step."""

    def __init__(self, person: Person, records: Records) -> None:
        self._person = person
        self._records = records

    async def run(self) -> None:
        """Take each step, and print it with the records that passed.

        Raises:
            PageError: If the browser gets another page than expected.
            ChallengeError: If the phone shows another challenge than expected.
            TimeoutError: If the phone shows none.

        """
        person = self._person
        await self._step(f"an administrator adds the account {NAME}")
        await self._pair()
        await self._approve()
        await person.sign_out()
        await self._step("the person signs out")
        await person.enter_password()
        await self._step("the person signs in again: password, then straight to the request on the phone")
        await self._approve()
        await person.sign_out()
        await person.enter_password()
        await person.enter_code(person.phone.code())
        person.is_signed_in()
        await self._step("the person signs out, and in again by a verification code of the phone instead")

    async def _pair(self) -> None:
        person, browser = self._person, self._person.browser
        await person.enter_password()
        browser.expect("CONNECT SALESFORCE AUTHENTICATOR")
        await self._step("1  the person signs in with name and password: CONNECT SALESFORCE AUTHENTICATOR")
        await browser.open("/pair")
        browser.expect("PAIR A DEVICE")
        await self._step("2  the person goes on: PAIR A DEVICE")
        phrase = await person.phone.new_phrase()
        await self._step(f"3  the person taps + New Account on the phone, which shows: {phrase}")
        await person.enter_phrase(phrase.upper())
        await self._step("4  the person enters the phrase and clicks CONNECT DEVICE; the phone is notified")
        await person.phone.accept_pairing()
        await person.wait()
        browser.expect("DEVICE PAIRING SUCCESSFUL")
        await self._step("5  the person accepts on the phone: DEVICE PAIRING SUCCESSFUL")
        await person.send_challenge()
        await self._step("6  the person clicks OK; the authentication request goes to the phone")

    async def _approve(self) -> None:
        await self._person.approve()
        await self._step("   the person approves on the phone: signed in, the account page is there")

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


async def show(stack: Stack) -> None:
    """Show the flow on a running stack.

    Raises:
        MissingStepError: If a record is missing, or there is a dead letter.
        PageError, ChallengeError, TimeoutError: If a step did not happen.

    """
    password = secrets.token_urlsafe(12)
    records = Records(stack.connection, "", lambda line: console.print(f"     [cyan]{line}[/]"))
    await records.start()
    try:
        async with administration(stack.connection, "", stack.secrets) as accounts:
            await accounts.add(NAME, password, "Demo")
        async with (
            TextBrowser(stack.urls["login"]) as browser,
            NarratedPhone.in_memory(stack.urls["push"], "Terminal phone") as phone,
        ):
            await Demo(Person(NAME, password, browser, phone), records).run()
        await records.show_new()
    finally:
        await records.stop()
    check_order(records.types)
    if records.dead_letters:
        message = f"there are {records.dead_letters} dead letters"
        raise MissingStepError(message)
    console.print(f"[bold green]Every step happened[/]; {len(records.types)} records passed, no dead letters.")


def main() -> int:
    """Start a stack, show the flow on it, and stop it; return the exit code."""
    argparse.ArgumentParser(prog="make demo", description=__doc__).parse_args()
    show_warnings_only()
    with tempfile.TemporaryDirectory(prefix="countersign-demo-") as directory:
        console.print("Starting Kafka and the services on free ports…")
        with Stack(StackOptions(Path(directory), short_lived=True)) as stack:
            try:
                asyncio.run(show(stack))
            except (MissingStepError, PageError, ChallengeError, TimeoutError) as error:
                console.print(f"[bold red]The demo failed:[/] {error or 'the phone showed no challenge in time'}")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
