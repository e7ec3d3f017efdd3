"""The frames of the socket that a service sends (docs/protocol.md section 5). Parsing only."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from schemas.base import Identifier, Jws, Model, Moment, Text


class HelloFrame(Model):
    """The socket's first frame.

    Attributes:
        nonce: For the request that opens it.

    """

    type: Literal["hello"]
    nonce: Annotated[str, Field(max_length=512)]


class ReadyFrame(Model):
    """The socket is open.

    Attributes:
        server_time: The push service's clock.

    """

    type: Literal["ready"]
    server_time: Moment


class ProblemFrame(Model):
    """The socket will not open.

    Attributes:
        problem: The problem document that says why.

    """

    type: Literal["problem"]
    problem: dict[str, Any]


class ChallengeFrame(Model):
    """A challenge.

    Attributes:
        challenge: Its JWS, unverified.

    """

    type: Literal["challenge"]
    challenge: Jws


class EndedFrame(Model):
    """A challenge needs no answer any more.

    Attributes:
        challenge_id: Which.
        reason: Why: ``withdrawn``, ``answered`` or ``expired``.

    """

    type: Literal["ended"]
    challenge_id: Identifier
    reason: Text


class WaitingFrame(Model):
    """All that waits for this device when it connects: whatever else it still shows has ended meanwhile.

    Attributes:
        challenge_ids: The challenges' ids.

    """

    type: Literal["waiting"]
    challenge_ids: Annotated[tuple[Identifier, ...], Field(max_length=1000)]


class UnpairedFrame(Model):
    """An account's service says that this device no longer answers for the account.

    Attributes:
        statement: What it signed, unverified.

    """

    type: Literal["unpaired"]
    statement: Jws


class Ping(Model):
    """A sign of life.

    Attributes:
        server_time: The push service's clock; None where an older service does not say it.

    """

    type: Literal["ping"]
    server_time: Moment | None = None


News = ChallengeFrame | EndedFrame | WaitingFrame | UnpairedFrame
Frame = HelloFrame | ReadyFrame | ProblemFrame | Ping | News
_FRAME: Final[TypeAdapter[Frame]] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])


def parse_frame(text: str) -> Frame | None:
    """Read a frame of the socket.

    Returns:
        The frame, or None for one of a type or form that this device does not know (a newer service).

    """
    try:
        return _FRAME.validate_json(text)
    except ValidationError:
        return None
