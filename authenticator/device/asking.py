"""Asks the person at the terminal, without keeping the phone from listening meanwhile."""

import asyncio
import os
import re
from types import TracebackType
from typing import Any, Final, Self

from authenticator.device.challenges import DeviceChallenge, Reply
from authenticator.device.state import ChallengeOutcome
from authenticator.device.terminal import Screen
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
NUMBER: Final = re.compile("[1-9][0-9]")


class NobodyAnswersError(Exception):
    """Standard input is at its end."""


class Asker:
    """Reads answers from standard input, a terminal or not; a context manager."""

    def __init__(self, screen: Screen, descriptor: int = 0) -> None:
        """Prepare it.

        Args:
            screen: Where questions are printed.
            descriptor: The file to read.

        """
        self._screen = screen
        self._descriptor = descriptor
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._rest = b""

    def __enter__(self) -> Self:
        """Begin to listen."""
        try:
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        except OSError:  # a regular file cannot be waited for, and need not be; a closed one ends at once
            while self._read():
                pass
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no more."""
        asyncio.get_running_loop().remove_reader(self._descriptor)

    async def ask(self, request: DeviceChallenge) -> Reply | None:
        """Ask until there is an answer, with the number that the browser shows where an approval needs it.

        Returns:
            The reply, or None if the request ended before.

        Raises:
            NobodyAnswersError: If standard input is at its end.

        """
        if os.isatty(self._descriptor):
            self._forget_typed_ahead()
        ended = asyncio.ensure_future(request.ended())
        try:
            verdict = None
            while verdict is None:
                self._screen.question(request)
                said = await self._line(ended)
                if said is None:
                    return None
                verdict = WORDS.get(said)
            if verdict is Verdict.APPROVE and request.needs_number:
                return await self._ask_number(request, ended)
            return request.reply(verdict)
        finally:
            ended.cancel()

    async def _ask_number(self, request: DeviceChallenge, ended: asyncio.Future[ChallengeOutcome]) -> Reply | None:
        """Ask for the number; whoever sees none may still deny."""
        self._screen.ask_number()
        while (said := await self._line(ended)) is not None:
            if NUMBER.fullmatch(said):
                return request.reply(Verdict.APPROVE, int(said))
            if WORDS.get(said, Verdict.APPROVE) is not Verdict.APPROVE:
                return request.reply(WORDS[said])
            self._screen.ask_number(again=True)
        return None

    async def _line(self, ended: asyncio.Future[ChallengeOutcome]) -> str | None:
        """Wait for a line; None if the request ended before."""
        line = asyncio.ensure_future(self._lines.get())
        either: set[asyncio.Future[Any]] = {line, ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            line.cancel()
            return None
        said = line.result()
        if said is None:
            self._lines.put_nowait(None)
            raise NobodyAnswersError
        return said

    def _forget_typed_ahead(self) -> None:
        """Drop what was typed before this question could be read: it was meant for another one."""
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
