"""What can go wrong between a device and the services.

DeviceError
├── UnreachableError    nothing answers at a URL
├── ForeignAnswerError  something answers, but not as this protocol says
├── ProblemError        a service refused, and says why in a problem document
├── ConnectionLostError the socket closed or fell silent
├── NumberError         an approval lacks the number that the browser shows
├── NoCodesError        an account has no verification codes
└── StateError          the state directory cannot be used
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem document (RFC 9457) of this protocol.

    Attributes:
        name: The last part of its ``type``, as docs/protocol.md section 3 lists them; empty where it has another type.
        title: What kind of problem it is, for people.
        status: The HTTP status.
        detail: What it is about this time, for people.
        retry_after_seconds: How long the service asks to wait, or None.
        members: The whole document.

    """

    name: str
    title: str
    status: int
    detail: str
    retry_after_seconds: float | None = None
    members: Mapping[str, Any] = field(default_factory=dict)


class DeviceError(Exception):
    """Anything that goes wrong between the device and the services. Its text is for the device's owner."""


class UnreachableError(DeviceError):
    """Nothing answers at a URL.

    Attributes:
        url: Where it was tried.

    """

    def __init__(self, url: str, cause: BaseException) -> None:
        super().__init__(f"{url} does not answer: {_reason(cause)}.")
        self.url = url


class ForeignAnswerError(DeviceError):
    """Something answers at a URL, but not as this protocol says.

    Attributes:
        url: Where it was tried.

    """

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(f"{url} does not answer as Countersign does: {detail}")
        self.url = url


class ProblemError(DeviceError):
    """A service refused.

    Attributes:
        problem: What it says of it.
        url: The URL that refused.

    """

    def __init__(self, problem: Problem, url: str) -> None:
        said = problem.detail or problem.title or f"status {problem.status}"
        super().__init__(f"{url} refused ({problem.name or problem.status}): {said}")
        self.problem = problem
        self.url = url


class ConnectionLostError(DeviceError):
    """The socket closed or fell silent."""


class NumberError(DeviceError):
    """An approval lacks the number that the browser shows; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("This sign-in is approved only with the number that the browser shows: two digits, 10 to 99.")


class NoCodesError(DeviceError):
    """An account has no verification codes."""

    def __init__(self, service: str, account_name: str) -> None:
        super().__init__(
            f"{account_name} at {service} has no verification codes: none were agreed on when this device was "
            f"connected. Connect it again to get some."
        )


class StateError(DeviceError):
    """The state directory cannot be used."""


def _reason(cause: BaseException) -> str:
    """Return what an attempt met, without what a library says around it."""
    if isinstance(cause, TimeoutError):
        return "nothing came in time"
    if isinstance(cause, OSError) and cause.errno is not None:
        return os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
    return str(cause) or type(cause).__name__
