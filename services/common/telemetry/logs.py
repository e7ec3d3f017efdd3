"""Structured logs: one JSON object a line on standard output, with the trace id; libraries' logs are rate-limited."""

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from services.common.telemetry.tracing import current_trace_id

LIBRARIES: Final = ("aiokafka", "aiohttp", "asyncio")
REPEAT_SECONDS: Final = 5.0
"""How long a message of a library is left out after it was logged."""
MAX_KNOWN_MESSAGES: Final = 500


class RepeatFilter(logging.Filter):
    """Rate-limits the messages of libraries: without a broker, aiokafka logs hundreds a second.

    A message passes once in `REPEAT_SECONDS`, with the number of those left out before it. Messages are the same if
    only their arguments differ.
    """

    def __init__(self, loggers: tuple[str, ...], clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with no messages.

        Args:
            loggers: The names of the loggers to limit, with those below them.
            clock: Returns seconds.

        """
        super().__init__()
        self._loggers = loggers
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log a record."""
        if record.name.split(".", 1)[0] not in self._loggers:
            return True
        message = (record.name, str(record.msg))
        now = self._clock()
        last, left_out = self._known.get(message, (now - REPEAT_SECONDS, 0))
        if now - last < REPEAT_SECONDS:
            self._known[message] = (last, left_out + 1)
            return False
        if len(self._known) >= MAX_KNOWN_MESSAGES:
            self._known.clear()
        self._known[message] = (now, 0)
        if left_out:
            record.msg = f"{record.getMessage()} (and {left_out} like this before it)"
            record.args = ()
        return True


def _add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    trace_id = current_trace_id()
    if trace_id:
        event["trace_id"] = trace_id
    return event


def show_warnings_only() -> None:
    """Set up logging for a command in a terminal: warnings and errors, on standard error, as text."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def log_to_file(path: Path) -> None:
    """Set up logging for a long run in a terminal: all of it into a file, as text.

    Args:
        path: The file.

    """
    logging.basicConfig(filename=path, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.dev.ConsoleRenderer(colors=False)],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def configure_logs(service: str, level: str) -> None:
    """Set up logging for this process.

    Args:
        service: The service's name, a field of each line.
        level: The lowest level to log; of libraries it is at least WARNING.

    """

    def _add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_service,
        _add_trace,
        # Without local variables: a password can be among them.
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        # What is below the level costs no more than the call.
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(RepeatFilter(LIBRARIES))
    renderer = structlog.processors.JSONRenderer(sort_keys=False)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
