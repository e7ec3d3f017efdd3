"""W3C trace context: the id that follows a login through browsers, services, topics and logs.

Source: W3C Trace Context, section 3.2.2 (traceparent).
"""

import re
import secrets
from contextvars import ContextVar
from typing import Final

_FORM: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str] = ContextVar("traceparent", default="")


def new_traceparent() -> str:
    """Begin a trace."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def continue_trace(traceparent: str | None) -> str:
    """Make the given trace the current one, or a new one where it is missing or malformed.

    Returns:
        The traceparent that is current now.

    """
    current = traceparent if traceparent and _FORM.fullmatch(traceparent) else new_traceparent()
    _current.set(current)
    return current


def current_traceparent() -> str:
    """Return the current trace's header value, or an empty string."""
    return _current.get()


def trace_id(traceparent: str) -> str:
    """Return the 32 hexadecimal digits that name the trace, or an empty string."""
    match = _FORM.fullmatch(traceparent)
    return match.group(1) if match else ""
