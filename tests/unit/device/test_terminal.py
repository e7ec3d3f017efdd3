"""What the terminal program shows, and how it reads answers."""

import asyncio
import os
import pty
from collections.abc import Iterator
from pathlib import Path

import pytest

from authenticator.device.challenges import DeviceChallenge, Reply
from authenticator.device.clock import ServiceClock
from authenticator.device.directory import service_address
from authenticator.device.prompt import AnswerPrompt, NoInputError
from authenticator.device.state import ChallengeOutcome
from authenticator.device.terminal import Screen, printable
from schemas.base import Browser
from schemas.contract import Purpose, Verdict
from tests.polling import DEADLINE_SECONDS
from tests.unit.protocol.builders import NOW, a_challenge, some_claims


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            continue


def a_request(purpose: Purpose = Purpose.LOGIN, **changes: object) -> DeviceChallenge:
    """Return a request that is shown."""
    return DeviceChallenge(some_claims(purpose, **changes), a_challenge(purpose))


def test_text_of_others_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    nasty = "ann\x1b[2J\x07\r\nApproved.\u202eevil"
    assert printable(nasty) == "ann\ufffd[2J\ufffd\ufffd\ufffdApproved.\ufffdevil"
    Screen(as_json=False).request(a_request(account_name=nasty, browser=Browser(name=nasty, address=nasty)))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "Approved." not in shown.splitlines()


def test_request_shows_its_details(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(as_json=False).request(a_request(Purpose.PAIRING))
    shown = capsys.readouterr().out
    for text in ("Pairing request", "Account Manager", "ann@example.com", "Firefox on Linux", "192.0.2.7"):
        assert text in shown


def test_request_beyond_a_sign_in_shows_its_action(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(as_json=False).request(a_request(action="Change how this account signs in"))
    assert "For: Change how this account signs in" in capsys.readouterr().out


def test_place_and_first_time_are_shown_if_known(capsys: pytest.CaptureFixture[str]) -> None:
    known = Browser(name="Firefox on Linux", address="192.0.2.7", place="Geneva\x1b, Switzerland", first_time=True)
    Screen(as_json=False).request(a_request(browser=known))
    shown = capsys.readouterr().out
    assert "192.0.2.7 (Geneva\ufffd, Switzerland)" in shown
    assert "first sign-in from this browser" in shown
    Screen(as_json=False).request(a_request())
    shown = capsys.readouterr().out
    assert "(" not in shown
    assert "first" not in shown


@pytest.mark.parametrize(
    ("typed", "verdict"),
    [
        (b"a\n", Verdict.APPROVE),
        (b"what?\n\n  YES \n", Verdict.APPROVE),
        (b"d\n", Verdict.DENY),
        (b"report\n", Verdict.REPORT),
        (b"r", Verdict.REPORT),
    ],
)
async def test_answer_is_read_from_a_pipe(pipe: tuple[int, int], typed: bytes, verdict: Verdict) -> None:
    os.write(pipe[1], typed)
    os.close(pipe[1])
    with AnswerPrompt(Screen(as_json=True), pipe[0]) as prompt:
        assert await prompt.ask(a_request()) == Reply(verdict)
        with pytest.raises(NoInputError):
            await prompt.ask(a_request())


@pytest.mark.parametrize(
    ("typed", "reply"),
    [
        (b"a\n42\n", Reply(Verdict.APPROVE, 42)),
        (b"a\n\n9\n100\n042\n4x2\nyes\n10\n", Reply(Verdict.APPROVE, 10)),
        (b"a\n4-2\n", Reply(Verdict.APPROVE, 42)),
        (b"a\n\xd9\xa4 \xd9\xa2\n", Reply(Verdict.APPROVE, 42)),
        (b"a\nd\n", Reply(Verdict.DENY)),
        (b"a\nr\n", Reply(Verdict.REPORT)),
        (b"d\n42\n", Reply(Verdict.DENY)),
        (b"42\nr\n", Reply(Verdict.REPORT)),
    ],
)
async def test_number_is_asked_for_only_after_an_approval(pipe: tuple[int, int], typed: bytes, reply: Reply) -> None:
    os.write(pipe[1], typed)
    with AnswerPrompt(Screen(as_json=True), pipe[0]) as prompt:
        assert await prompt.ask(a_request(number_matching=True)) == reply


async def test_request_that_ends_during_the_number_prompt_is_over(
    pipe: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    request = a_request(number_matching=True)
    with AnswerPrompt(Screen(as_json=False), pipe[0]) as prompt:
        os.write(pipe[1], b"a\n")
        asking = asyncio.ensure_future(prompt.ask(request))
        async with asyncio.timeout(DEADLINE_SECONDS):
            while "Number shown" not in capsys.readouterr().out:
                await asyncio.sleep(0)
            request.end(ChallengeOutcome.EXPIRED)
            assert await asking is None


async def test_pairing_needs_no_number(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"a\n")
    with AnswerPrompt(Screen(as_json=True), pipe[0]) as prompt:
        assert await prompt.ask(a_request(Purpose.PAIRING, number_matching=True)) == Reply(Verdict.APPROVE)


async def test_file_gives_one_answer_to_each_request(tmp_path: Path) -> None:
    (tmp_path / "answers").write_bytes(b"accept\ndeny\n")
    with (tmp_path / "answers").open("rb") as file, AnswerPrompt(Screen(as_json=True), file.fileno()) as prompt:
        assert await prompt.ask(a_request()) == Reply(Verdict.APPROVE)
        assert await prompt.ask(a_request()) == Reply(Verdict.DENY)
        with pytest.raises(NoInputError):
            await prompt.ask(a_request())


async def test_ended_request_is_not_prompted(pipe: tuple[int, int]) -> None:
    request = a_request()
    with AnswerPrompt(Screen(as_json=True), pipe[0]) as prompt:
        asking = asyncio.ensure_future(prompt.ask(request))
        request.end(ChallengeOutcome.WITHDRAWN)
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert await asking is None


async def test_input_typed_before_a_request_is_no_answer() -> None:
    """A key pressed while the screen changes must not approve an unread request."""
    terminal, keyboard = pty.openpty()[::-1]
    try:
        with AnswerPrompt(Screen(as_json=True), terminal) as prompt:
            os.write(keyboard, b"a\n")
            async with asyncio.timeout(DEADLINE_SECONDS):
                while prompt._lines.empty():  # noqa: SLF001 - nothing else tells that it was read
                    await asyncio.sleep(0)
            asking = asyncio.ensure_future(prompt.ask(a_request()))
            await asyncio.sleep(0)
            os.write(keyboard, b"d\n")
            async with asyncio.timeout(DEADLINE_SECONDS):
                assert await asking == Reply(Verdict.DENY)
    finally:
        os.close(terminal)
        os.close(keyboard)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("http://localhost:8300", "http://localhost:8300"),
        (" https://auth.example.com/ ", "https://auth.example.com"),
        ("http://[::1]:8300", "http://[::1]:8300"),
    ],
)
def test_address_is_normalized(typed: str, address: str) -> None:
    assert service_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    ["", "localhost:8300", "ftp://localhost", "http://", "http://[", "http://h:99999", "http://u@h", "http://h/?a=1"],
)
def test_invalid_address_is_rejected(typed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        service_address(typed)


def test_clock_follows_the_service() -> None:
    clock = ServiceClock(local_time=lambda: 0.0)
    clock.synchronize(NOW)
    assert clock.now() == NOW
    assert clock.seconds_until(some_claims().expires_at) == 120
    assert clock.seconds_until(NOW.replace(year=2020)) == 0
