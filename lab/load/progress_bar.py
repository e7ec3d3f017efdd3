"""A progress bar in a terminal; elsewhere, in a log file, a line now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Display

from services.common.progress import Progress

LINE_SECONDS: Final = 30.0


class Bar:
    """Shows how far something long has come."""

    def __init__(self, console: Console, title: str) -> None:
        """Show it at nothing.

        Args:
            console: Where to show it.
            title: What is being done.

        """
        self._console = console
        self._title = title
        self._started = self._last = time.monotonic()
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        self._display = Display(
            TextColumn("{task.description}"), *columns, console=console, disable=not console.is_terminal
        )
        self._task = self._display.add_task(title, total=None)
        self._display.start()

    def __enter__(self) -> Self:
        """Show it for as long as the context lasts."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Leave it as it is."""
        self.close()

    def show(self, progress: Progress, detail: str = "") -> None:
        """Show how far it is, with something beside it."""
        title = f"{self._title}  {detail}".rstrip()
        self._display.update(self._task, description=escape(title), completed=progress.done, total=progress.total)
        at = time.monotonic()
        if not self._console.is_terminal and (at - self._last >= LINE_SECONDS or progress.complete):
            self._last = at
            rate = progress.done / max(at - self._started, 1e-9)
            line = f"{title}: {progress.done} of {progress.total}, {progress.percent} %, {rate:.0f} a second"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Leave it as it is."""
        self._display.stop()


class Bars:
    """A bar for each thing that is done, and a line when a step of a stack is done."""

    def __init__(self, console: Console) -> None:
        """Show nothing yet.

        Args:
            console: Where to show them.

        """
        self._console = console
        self._bars: dict[str, Bar] = {}

    def __enter__(self) -> Self:
        """Show them for as long as the context lasts."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Leave them as they are."""
        for bar in self._bars.values():
            bar.close()

    def show(self, title: str, progress: Progress, detail: str = "") -> None:
        """Show how far something is, with something beside it."""
        if title not in self._bars:
            self._bars[title] = Bar(self._console, title)
        self._bars[title].show(progress, detail)
        if progress.complete:
            self._bars[title].close()

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """Show a step of a stack, a `deploy.local.stack.Step`."""
        started = time.monotonic()
        yield lambda _said: None
        self._console.print(f"{title}: {time.monotonic() - started:.1f} s", markup=False, highlight=False)
