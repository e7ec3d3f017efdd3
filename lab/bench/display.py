"""Shows in a terminal what is being measured and how far it is; elsewhere, in a log, a line for each thing."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from services.common.progress import Progress


class Display:
    """One bar for what is being done now, and above it a line for what was done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("")
        self._title = ""
        self._began = self._started = time.monotonic()

    def __enter__(self) -> Self:
        """Show it for as long as the context lasts."""
        self._bar.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Remove the bar."""
        self.finish()
        self._bar.stop()

    def show(self, title: str, progress: Progress) -> None:
        """Show how far something is; another title than before begins the next thing."""
        if title != self._title:
            self.finish()
            self._title, self._began = title, time.monotonic()
            self._bar.reset(self._task, description=escape(title), total=progress.total)
        self._bar.update(self._task, completed=progress.done, total=progress.total)

    def finish(self) -> None:
        """Leave a line for what was done, with the seconds that it took and those since the start."""
        if self._title:
            now = time.monotonic()
            line = f"{now - self._started:7.1f} s  {self._title}: {now - self._began:.1f} s"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)
            self._title = ""
