"""W3C trace context: the id that follows a login through browsers, services, topics and logs.

Source: W3C Trace Context, section 3.2.2 (traceparent).
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from schemas.base import Message
from schemas.codec import Event

_FORM: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str] = ContextVar("traceparent", default="")


def new_traceparent() -> str:
    """Begin a trace."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def is_traceparent(text: str | None) -> bool:
    """Tell whether a header value is well-formed."""
    return bool(text and _FORM.fullmatch(text))


def continue_trace(traceparent: str | None) -> str:
    """Make the given trace the current one, or a new one where it is missing or malformed.

    Returns:
        The traceparent that is current now.

    """
    current = traceparent if traceparent and is_traceparent(traceparent) else new_traceparent()
    _current.set(current)
    return current


def current_traceparent() -> str:
    """Return the current trace's header value, or an empty string."""
    return _current.get()


def trace_id(traceparent: str) -> str:
    """Return the 32 hexadecimal digits that name the trace, or an empty string."""
    match = _FORM.fullmatch(traceparent)
    return match.group(1) if match else ""


@dataclass(slots=True)
class Served:
    """How a request ended.

    Attributes:
        status: Its HTTP status.
        streamed: True if it lasted as long as somebody waited: an event stream or a socket.

    """

    status: int = web.HTTPInternalServerError.status_code
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Came:
    """A record that an owner or a relay works on.

    Attributes:
        event: What it says.
        topic: Its topic's name, without the deployment's prefix.
        partition: Its partition.
        offset: Its offset.
        group: The consumer group that reads it.

    """

    event: Event[Message]
    topic: str
    partition: int
    offset: int
    group: str


class Tracing:
    """Carries each trace on, from what comes in to what goes out; it makes no spans.

    `services.common.telemetry.spans` has the one that does.
    """

    @contextmanager
    def serving(self, request: web.Request, _served: Served) -> Iterator[None]:
        """Continue the trace of a request, for as long as it is served."""
        continue_trace(request.headers.get("traceparent"))
        yield

    def join(self, traceparent: str) -> None:
        """Make the request in hand part of another trace: of the one that it turned out to answer."""
        continue_trace(traceparent)

    @contextmanager
    def deciding(self, came: Came) -> Iterator[None]:
        """Continue the trace of an event, for as long as it is decided or passed on."""
        continue_trace(came.event.traceparent)
        yield

    @contextmanager
    def publishing(self, _event_id: str, _topic: str, traceparent: str) -> Iterator[str]:
        """Give the traceparent that an event is to carry, for as long as Kafka takes to have it.

        Args:
            _event_id: The event's id.
            _topic: Its topic's name, without the deployment's prefix.
            traceparent: Of what led to it. A repeated decision gives the same again (docs/adr/0003).

        """
        yield traceparent

    def close(self) -> None:
        """Send what is left, for a moment at most."""
