"""A client process: it gets jobs over a pipe, and says when it is prepared and what came of them."""

import asyncio
import logging
import multiprocessing
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from lab.bench.client.driving import Job, Samples, Window
from services.common.instance.resources import raise_open_files
from services.common.telemetry.logs import show_warnings_only

STOP_SECONDS: Final = 5.0
_PREPARED: Final = "prepared"


class ClientError(Exception):
    """A client process could not do its job. The text has what went wrong there."""


@dataclass(frozen=True, slots=True)
class _Failure:
    text: str


class ClientProcess:
    """One client process. It ends with this one, whatever ends this one.

    Attributes:
        pid: Its id.

    """

    def __init__(self) -> None:
        """Start it."""
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other,), daemon=True)
        self._process.start()
        other.close()
        self.pid = self._process.pid or 0

    def prepare(self, job: Job) -> None:
        """Have it prepare a job; `await_prepared` waits for that."""
        self._pipe.send(job)

    def await_prepared(self) -> None:
        """Wait until the job can begin.

        Raises:
            ClientError: If it cannot.

        """
        self._receive()

    def begin(self, window: Window) -> None:
        """Have the job begin."""
        self._pipe.send(window)

    @property
    def is_done(self) -> bool:
        """Whether the job is over."""
        return self._pipe.poll()

    def samples(self) -> Samples:
        """Wait until the job is over, and return what was done.

        Raises:
            ClientError: If it failed.

        """
        said = self._receive()
        if not isinstance(said, Samples):
            text = f"A client said {said!r}."
            raise ClientError(text)
        return said

    def stop(self) -> None:
        """End it."""
        self._pipe.close()
        self._process.terminate()
        self._process.join(STOP_SECONDS)
        self._process.kill()

    def _receive(self) -> object:
        try:
            said = self._pipe.recv()
        except EOFError:
            text = "A client process ended by itself."
            raise ClientError(text) from None
        if isinstance(said, _Failure):
            raise ClientError(said.text)
        return said


@contextmanager
def clients(count: int) -> Iterator[list[ClientProcess]]:
    """Give client processes, and end them afterwards."""
    made = list[ClientProcess]()
    try:
        made.extend(ClientProcess() for _ in range(count))
        yield made
    finally:
        for each in made:
            each.stop()


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the process that started this
    raise_open_files()
    show_warnings_only()
    # It logs what it tries again, such as a topic that was made a moment ago; what fails in the end is raised.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    asyncio.run(_do_jobs(pipe))


async def _do_jobs(pipe: Connection) -> None:
    async def begin() -> Window:
        pipe.send(_PREPARED)
        window = await asyncio.to_thread(pipe.recv)
        if not isinstance(window, Window):
            raise TypeError(window)
        return window

    while True:
        try:
            job: Job = await asyncio.to_thread(pipe.recv)
        except EOFError:
            return
        try:
            pipe.send(await job.run(begin))
        except Exception as error:  # noqa: BLE001 - whatever it is, the process that measures has to say it
            pipe.send(_Failure(f"{type(error).__name__}: {error}\n{traceback.format_exc()}"))
