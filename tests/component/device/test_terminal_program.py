"""The terminal phone as a separate program, without a terminal."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authenticator.device.phone import VirtualPhone
from authenticator.device.state import State
from authenticator.device.store import DirectoryStore
from protocol.challenges import PinnedIssuer
from protocol.verification_codes import find_step
from schemas.base import AgreementKey, Browser
from schemas.contract import Purpose, Verdict
from tests.builders import present
from tests.component.device.fake_services import FakeServices
from tests.polling import DEADLINE_SECONDS, eventually
from tests.unit.protocol.builders import ISSUER, SERVICE


class Terminal:
    """Runs the program on one state directory."""

    def __init__(self, services: FakeServices, url: str, directory: Path) -> None:
        self.services = services
        self._url = url
        self._directory = directory
        self._started: list[Process] = []
        self.pairing_id = ""

    async def start(self, *command: str, stdin: int = DEVNULL) -> Process:
        """Start it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "authenticator.device",
            "--state",
            str(self._directory),
            "--url",
            self._url,
            *command,
            stdin=stdin,
            stdout=PIPE,
            stderr=PIPE,
        )
        self._started.append(process)
        return process

    async def run(self, *command: str) -> tuple[int, str, str]:
        """Run it to its end."""
        return await finish(await self.start(*command))

    async def end(self) -> None:
        """Kill processes that a failed test left."""
        for process in self._started:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def introduce(self) -> str:
        """Request a phrase for the phone of the state directory, without the program; return the device id."""
        async with self._phone() as phone:
            await phone.new_phrase()
            return phone.device_id

    async def pair(self, **changes: object) -> str:
        """Pair that phone with account-1, without the program; return its id."""
        async with self._phone() as phone:
            await phone.new_phrase()
            claims = self.services.claims(phone.device_id, Purpose.PAIRING, **changes)
            self.pairing_id = claims.jti
            await self.services.ask(claims)
            await phone.answer(await anext(phone.requests()), Verdict.APPROVE)
            return phone.device_id

    def _phone(self) -> VirtualPhone:
        return VirtualPhone(DirectoryStore.open(self._directory, State(device_name="Pixel 9", url=self._url)))


@pytest.fixture
async def terminal(services: FakeServices, tmp_path: Path) -> AsyncIterator[Terminal]:
    """Provide the program with its own state directory."""
    terminal = Terminal(services, services.origin, tmp_path / "state")
    yield terminal
    await terminal.end()


async def finish(process: Process) -> tuple[int, str, str]:
    """Wait for a program's end."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        out, err = await process.communicate()
    return present(process.returncode), out.decode(), err.decode()


async def line_with(process: Process, words: str) -> str:
    """Read on until a line has these words."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while words not in (line := (await present(process.stdout).readline()).decode()):
            assert line, f"the program ended without saying {words!r}"
    return line


async def event(process: Process, name: str) -> dict[str, Any]:
    """Read on until an event of that name."""
    found: dict[str, Any] = json.loads(await line_with(process, f'"event": "{name}"'))
    return found


async def test_phrase_is_printed_with_how_long_it_lasts(terminal: Terminal) -> None:
    code, out, _ = await terminal.run("new-account", "--name", "Pixel 9")
    assert code == 0
    assert "Pairing phrase: crimson otter\n" in out
    assert "within 5 minutes" in out
    assert terminal.services.requests[-1].payload == {"device_name": "Pixel 9"}
    assert terminal.services.openings == 1, "the push service must know the device before its phrase is typed"


async def test_pairing_and_login_are_accepted_by_an_option(terminal: Terminal) -> None:
    _, out, _ = await terminal.run("new-account", "--json")
    device_id = json.loads(out)["device_id"]
    await terminal.services.ask(terminal.services.claims(device_id, Purpose.PAIRING))
    process = await terminal.start("wait", "--answer", "accept", "--count", "2", "--json")
    assert (await event(process, "request"))["account_name"] == "ann@example.com"
    assert (await event(process, "answered"))["verdict"] == "approve"
    await terminal.services.ask(terminal.services.claims(device_id, Purpose.LOGIN))
    browser = (await event(process, "request"))["browser"]
    assert (browser["name"], browser["address"]) == ("Firefox on Linux", "192.0.2.7")
    assert (await finish(process))[0] == 0

    assert "ann@example.com" in (await terminal.run("accounts"))[1]
    history = (await terminal.run("history", "--json"))[1].splitlines()
    assert [(entry["request"], entry["outcome"]) for entry in map(json.loads, history)] == [
        ("pairing", "approved"),
        ("login", "approved"),
    ]


async def test_person_is_asked_and_answers_without_a_terminal(terminal: Terminal) -> None:
    process = await terminal.start("wait", "--count", "2", stdin=PIPE)
    await line_with(process, "Waiting for requests")
    code, out, _ = await terminal.run("new-account", "--json")  # by another process, on the same state
    assert code == 0
    device_id = json.loads(out)["device_id"]
    await terminal.services.ask(terminal.services.claims(device_id, Purpose.PAIRING))
    await line_with(process, "Pairing request")
    assert process.stdin is not None
    process.stdin.write(b"a\n")
    assert "ann@example.com is connected" in await line_with(process, "Accepted")
    await terminal.services.ask(terminal.services.claims(device_id, Purpose.LOGIN))
    await line_with(process, "Authentication request")
    process.stdin.write(b"perhaps\nr\n")
    code, out, _ = await finish(process)
    assert code == 0
    assert "Reported: it wasn't you." in out
    assert [signed.payload.get("verdict") for signed in terminal.services.requests[1:]] == ["approve", "report"]


async def test_a_wrong_number_is_told(terminal: Terminal) -> None:
    device_id = await terminal.pair()
    terminal.services.outcomes = ["wrong_number"]
    process = await terminal.start("wait", "--answer", "accept", "--number", "42", "--timeout", "60")
    await terminal.services.ask(terminal.services.claims(device_id, Purpose.LOGIN, number_matching=True))
    code, out, _ = await finish(process)
    assert code == 0
    assert "Denied: the browser shows another number." in out


async def test_number_is_an_option_for_one_request(terminal: Terminal) -> None:
    device_id = await terminal.pair()
    ask = ("wait", "--answer", "accept", "--number", "42", "--timeout", "60")
    process = await terminal.start(*ask, "--count", "2")
    await terminal.services.ask(terminal.services.claims(device_id, Purpose.LOGIN, number_matching=True))
    await line_with(process, "Approved.")
    assert terminal.services.requests[-1].payload["number"] == 42
    await terminal.services.ask(terminal.services.claims(device_id, Purpose.LOGIN, number_matching=True))
    code, _, err = await finish(process)
    assert code == 2
    assert "--number" in err
    assert "Nothing was answered" in err
    assert len(terminal.services.waiting[device_id]) == 1


async def test_missing_or_impossible_number_approves_nothing(terminal: Terminal) -> None:
    device_id = await terminal.pair()
    await terminal.services.ask(terminal.services.claims(device_id, Purpose.LOGIN, number_matching=True))
    for options in ((), ("--number", "9"), ("--number", "100"), ("--number", "4x")):
        code, _, err = await terminal.run("wait", "--answer", "accept", *options)
        assert code == 2, options
        assert "--number" in err
        assert len(terminal.services.waiting[device_id]) == 1


@pytest.mark.parametrize("options", [(), ("--answer", "decline")])
async def test_number_without_an_approval_is_a_slip(terminal: Terminal, options: tuple[str, ...]) -> None:
    code, _, err = await terminal.run("wait", *options, "--number", "42")
    assert code == 2
    assert "--answer accept" in err


async def test_person_is_asked_for_the_number(terminal: Terminal) -> None:
    device_id = await terminal.pair()
    process = await terminal.start("wait", "--count", "1", stdin=PIPE)
    browser = Browser(name="Firefox on Linux", address="192.0.2.7", place="Geneva, Switzerland", first_time=True)
    asked = terminal.services.claims(device_id, Purpose.LOGIN, number_matching=True, browser=browser)
    await terminal.services.ask(asked)
    assert "192.0.2.7 (Geneva, Switzerland)" in await line_with(process, "Firefox on Linux")
    await line_with(process, "first sign-in from this browser")
    present(process.stdin).write(b"a\n7\n 42 \n")
    code, out, _ = await finish(process)
    assert code == 0
    assert "Number shown in the browser: Two digits, 10 to 99" in out
    assert terminal.services.requests[-1].payload["number"] == 42


async def test_codes_are_printed_with_no_network(terminal: Terminal, tmp_path: Path) -> None:
    await terminal.pair()
    sent = AgreementKey.model_validate(terminal.services.requests[-1].payload["agreement_key"])
    secret = terminal.services.agreement.code_secret(sent, terminal.pairing_id)
    offline = Terminal(terminal.services, "http://127.0.0.1:1", tmp_path / "state")
    openings = terminal.services.openings
    code, out, _ = await offline.run("codes", "--json")
    shown = json.loads(out)
    assert (code, shown["account"]) == (0, "ann@example.com")
    assert find_step(secret, shown["code"], terminal.services.now()) is not None
    assert 1 <= shown["seconds_left"] <= 30
    code, out, _ = await offline.run("codes")
    assert code == 0
    assert "SECONDS LEFT" in out
    assert terminal.services.openings == openings


async def test_codes_are_those_of_a_service_whose_clock_is_far_off(terminal: Terminal) -> None:
    terminal.services.clock_offset = timedelta(hours=-5)
    await terminal.pair()
    sent = AgreementKey.model_validate(terminal.services.requests[-1].payload["agreement_key"])
    secret = terminal.services.agreement.code_secret(sent, terminal.pairing_id)
    _, out, _ = await terminal.run("codes", "--json")
    assert find_step(secret, json.loads(out)["code"], terminal.services.now()) is not None


async def test_account_without_codes_is_reported(terminal: Terminal) -> None:
    code, out, _ = await terminal.run("codes")
    assert (code, "No accounts yet" in out) == (1, True)
    await terminal.pair(login_issuer=PinnedIssuer(issuer=ISSUER, keys=(SERVICE.public.thumbprint,)))
    code, out, err = await terminal.run("codes")
    assert (code, out) == (1, "")
    assert "ann@example.com at Account Manager has no verification codes" in err


async def test_removed_account_is_reported(terminal: Terminal) -> None:
    device_id = await terminal.pair()
    process = await terminal.start("wait")
    await line_with(process, "Waiting for requests")
    await terminal.services.part(device_id, terminal.services.parting(device_id, terminal.pairing_id))
    assert await line_with(process, "Account Manager removed ann@example.com from this device.")
    process.send_signal(signal.SIGINT)
    await finish(process)
    assert "No accounts yet" in (await terminal.run("accounts"))[1]
    assert "removed" in (await terminal.run("history"))[1]


async def test_request_that_is_withdrawn_is_asked_about_no_more(terminal: Terminal) -> None:
    claims = terminal.services.claims(await terminal.introduce(), Purpose.PAIRING)
    await terminal.services.ask(claims)
    process = await terminal.start("wait", stdin=PIPE)
    await line_with(process, "Pairing request")
    await eventually(lambda: claims.jti in terminal.services.receipts)
    await terminal.services.end(claims, "withdrawn")
    await line_with(process, "Canceled at the computer")
    process.send_signal(signal.SIGINT)
    assert (await finish(process))[0] == 130


async def test_rejected_answer_is_reported_and_not_counted(terminal: Terminal) -> None:
    device_id = await terminal.introduce()
    terminal.services.refusals = ["expired"]
    await terminal.services.ask(terminal.services.claims(device_id, Purpose.PAIRING))
    process = await terminal.start("wait", "--answer", "accept", "--count", "1", "--timeout", "60", "--json")
    assert (await event(process, "not_answered"))["problem"] == "expired"
    process.terminate()
    await finish(process)


async def test_waiting_ends_with_its_time(terminal: Terminal) -> None:
    code, out, _ = await terminal.run("wait", "--answer", "decline", "--timeout", "0.1")
    assert code == 1
    assert "Stopped after 0.1 s." in out


async def test_missing_account_is_reported_with_what_to_do(terminal: Terminal) -> None:
    await terminal.services.ask(terminal.services.claims(await terminal.introduce(), Purpose.PAIRING))
    code, _, err = await terminal.run("wait")
    assert code == 2
    assert "--answer" in err


async def test_service_that_is_not_there_is_named(services: FakeServices, tmp_path: Path) -> None:
    away = Terminal(services, "http://127.0.0.1:1", tmp_path / "state")
    for command in (["new-account"], ["wait"]):
        code, out, err = await away.run(*command)
        assert (code, out) == (1, "")
        assert "http://127.0.0.1:1/" in err
        assert "--url" in err
    code, out, _ = await away.run("status", "--json")
    assert (code, json.loads(out)["connected"]) == (1, False)


async def test_status_tells_the_device_and_tries_the_connection(terminal: Terminal) -> None:
    code, out, _ = await terminal.run("status")
    assert code == 0
    assert terminal.services.origin in out
    assert "connected (Salesforce Authenticator)" in out


async def test_unusable_state_is_reported_in_one_line(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    code, _, err = await terminal.run("accounts")
    assert code == 1
    assert err.count("\n") == 1
    assert "--state" in err
