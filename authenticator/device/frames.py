"""The socket's frames from a service (docs/protocol.md section 5), parsed."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from schemas.base import Identifier, Jws, Model, Moment, Text


class HelloFrame(Model):
    """The first frame: the nonce for the opening request."""

    type: Literal["hello"]
    nonce: Annotated[str, Field(max_length=512)]


class ReadyFrame(Model):
    """The socket is open; with the service's time."""

    type: Literal["ready"]
    server_time: Moment


class ProblemFrame(Model):
    """The opening is refused, with a problem document."""

    type: Literal["problem"]
    problem: dict[str, Any]


class ChallengeFrame(Model):
    """A challenge: its JWS, unverified."""

    type: Literal["challenge"]
    challenge: Jws


class EndedFrame(Model):
    """A challenge has ended; the reason is ``withdrawn``, ``answered`` or ``expired``."""

    type: Literal["ended"]
    challenge_id: Identifier
    reason: Text


class WaitingFrame(Model):
    """The ids of all challenges that wait when the device connects; any other challenge has ended."""

    type: Literal["waiting"]
    challenge_ids: Annotated[tuple[Identifier, ...], Field(max_length=1000)]


class UnpairedFrame(Model):
    """A statement that a pairing ended: its JWS, unverified."""

    type: Literal["unpaired"]
    statement: Jws


class Ping(Model):
    """A ping with the service's time, which older services leave out."""

    type: Literal["ping"]
    server_time: Moment | None = None


News = ChallengeFrame | EndedFrame | WaitingFrame | UnpairedFrame
Frame = HelloFrame | ReadyFrame | ProblemFrame | Ping | News
_FRAME: Final[TypeAdapter[Frame]] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])


def parse_frame(text: str) -> Frame | None:
    """Return a frame, or None if its type or form is unknown, as from a newer service."""
    try:
        return _FRAME.validate_json(text)
    except ValidationError:
        return None
