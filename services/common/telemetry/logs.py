"""Structured logs: one JSON object a line on standard output, with the trace id; libraries' logs alike."""

import logging
import sys
from pathlib import Path

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from services.common.telemetry.log_repeats import Repeats
from services.common.telemetry.tracing import current_trace_id

LIBRARIES = ("aiokafka", "faust", "mode", "aiohttp", "asyncio")
OUR_SUBCLASSES = (
    "services.common.streams.faust_patches",
    "services.common.streams.versioned_table",
    "services.common.streams.faust_consumer",
)
"""Subclasses of Faust's services, which log under the name of their module whatever their base classes log."""


def _add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    trace_id = current_trace_id()
    if trace_id:
        event["trace_id"] = trace_id
    return event


def show_warnings_only() -> None:
    """Set up logging for a command in a terminal: warnings and errors, on standard error, in a person's form."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def log_to_file(path: Path) -> None:
    """Set up logging for a long run in a terminal: all of it into a file, in a person's form.

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
        service: The service's name; stands in each line.
        level: Name of the least level to show; libraries show warnings at the least.

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
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(Repeats(LIBRARIES))
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
    for name in (*LIBRARIES, *OUR_SUBCLASSES):
        logging.getLogger(name).setLevel(logging.WARNING)
