"""Reads answers at the terminal, without blocking the event loop."""

import asyncio
import os
from types import TracebackType
from typing import Any, Final, Self

from authenticator.device.challenges import DeviceChallenge, Reply
from authenticator.device.state import ChallengeOutcome
from authenticator.device.terminal import Screen
from protocol.typed_codes import DECIMAL, read_code
from schemas.contract import Verdict

READ_BYTES: Final = 4096
WORDS: Final = {
    "a": Verdict.APPROVE,
    "accept": Verdict.APPROVE,
    "approve": Verdict.APPROVE,
    "y": Verdict.APPROVE,
    "yes": Verdict.APPROVE,
    "d": Verdict.DENY,
    "decline": Verdict.DENY,
    "deny": Verdict.DENY,
    "n": Verdict.DENY,
    "no": Verdict.DENY,
    "r": Verdict.REPORT,
    "report": Verdict.REPORT,
}
NUMBER_DIGITS: Final = 2


class NoInputError(Exception):
    """Standard input has ended."""


class AnswerPrompt:
    """Reads answers from standard input, a terminal or not; a context manager."""

    def __init__(self, screen: Screen, descriptor: int = 0) -> None:
        self._screen = screen
        self._descriptor = descriptor
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._rest = b""

    def __enter__(self) -> Self:
        """Start reading."""
        try:
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        except OSError:  # a regular file cannot be polled, and need not be; a closed one ends at once
            while self._read():
                pass
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading."""
        asyncio.get_running_loop().remove_reader(self._descriptor)

    async def ask(self, request: DeviceChallenge) -> Reply | None:
        """Ask until there is an answer, and for the browser's number if an approval needs it.

        Returns:
            The reply, or None if the request ended first.

        Raises:
            NoInputError: If standard input has ended.

        """
        if os.isatty(self._descriptor):
            self._drop_type_ahead()
        ended = asyncio.ensure_future(request.ended())
        try:
            verdict = None
            while verdict is None:
                self._screen.question(request)
                line = await self._line(ended)
                if line is None:
                    return None
                verdict = WORDS.get(line)
            if verdict is Verdict.APPROVE and request.needs_number:
                return await self._ask_number(request, ended)
            return request.reply(verdict)
        finally:
            ended.cancel()

    async def _ask_number(self, request: DeviceChallenge, ended: asyncio.Future[ChallengeOutcome]) -> Reply | None:
        """Ask for the number; a denial or a report needs none."""
        self._screen.ask_number()
        while (line := await self._line(ended)) is not None:
            number = read_code(line, NUMBER_DIGITS, DECIMAL)
            if number is not None and not number.startswith("0"):
                return request.reply(Verdict.APPROVE, int(number))
            if WORDS.get(line, Verdict.APPROVE) is not Verdict.APPROVE:
                return request.reply(WORDS[line])
            self._screen.ask_number(again=True)
        return None

    async def _line(self, ended: asyncio.Future[ChallengeOutcome]) -> str | None:
        """Wait for a line; None if the request ended first."""
        next_line = asyncio.ensure_future(self._lines.get())
        either: set[asyncio.Future[Any]] = {next_line, ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            next_line.cancel()
            return None
        line = next_line.result()
        if line is None:
            self._lines.put_nowait(None)
            raise NoInputError
        return line

    def _drop_type_ahead(self) -> None:
        """Drop the lines that were typed before this question was shown."""
        while not self._lines.empty():
            self._lines.get_nowait()

    def _read(self) -> bool:
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except OSError:
            data = b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in [*lines, *([self._rest] if self._rest and not data else [])]:
            self._lines.put_nowait(line.decode(errors="replace").strip().lower())
        if not data:
            self._lines.put_nowait(None)
            asyncio.get_running_loop().remove_reader(self._descriptor)
        return bool(data)
