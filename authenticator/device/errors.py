"""Errors between a device and the services.

DeviceError
├── UnreachableError         a URL cannot be reached
├── UnexpectedResponseError  a response does not fit the protocol
├── ProblemError             a service refused, with a problem document
├── ConnectionLostError      the socket closed or fell silent
├── ReplacedError            another program uses the device's key, and has taken over the socket
├── UndecidedError           a service has an answer, and has not decided on it yet
├── NumberError              an approval lacks the number that the browser shows
├── NoCodesError             an account has no verification codes
└── StateError               the state directory cannot be used
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem document (RFC 9457) of this protocol.

    Attributes:
        name: The last part of its ``type`` (docs/protocol.md section 3); empty for another type.
        title: The kind of problem, for people.
        status: The HTTP status.
        detail: The cause, for people.
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
    """An error between the device and the services. Its text is for the device's owner."""


class UnreachableError(DeviceError):
    """A URL cannot be reached."""

    def __init__(self, url: str, cause: BaseException) -> None:
        super().__init__(f"{url} does not answer: {_reason(cause)}.")
        self.url = url


class UnexpectedResponseError(DeviceError):
    """A response does not fit the protocol."""

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(f"{url} does not answer as Countersign does: {detail}")
        self.url = url


class ProblemError(DeviceError):
    """A service refused a request."""

    def __init__(self, problem: Problem, url: str) -> None:
        detail = problem.detail or problem.title or f"status {problem.status}"
        super().__init__(f"{url} refused ({problem.name or problem.status}): {detail}")
        self.problem = problem
        self.url = url


class ConnectionLostError(DeviceError):
    """The socket closed or fell silent."""


class ReplacedError(DeviceError):
    """Another program uses the device's key, and has taken over the socket."""

    def __init__(self) -> None:
        super().__init__("Another program uses this device's key, and has taken over its connection. Stop one of them.")


class UndecidedError(DeviceError):
    """A service has the answer, and has not decided on it yet."""

    def __init__(self) -> None:
        super().__init__("The service has received the answer, and has not decided on it yet.")


class NumberError(DeviceError):
    """An approval lacks the number that the browser shows; no answer was sent."""

    def __init__(self) -> None:
        super().__init__("To approve this sign-in, enter the number that the browser shows: two digits, 10 to 99.")


class NoCodesError(DeviceError):
    """An account has no verification codes."""

    def __init__(self, service: str, account_name: str) -> None:
        super().__init__(
            f"{account_name} at {service} has no verification codes: the service did not offer any when you paired "
            f"this device. Pair it again to get them."
        )


class StateError(DeviceError):
    """The state directory cannot be used."""


def _reason(cause: BaseException) -> str:
    """Return the cause of a failed attempt, without the library's wrapping."""
    if isinstance(cause, TimeoutError):
        return "timed out"
    if isinstance(cause, OSError) and cause.errno is not None:
        return os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
    return str(cause) or type(cause).__name__
