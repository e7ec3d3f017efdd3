"""What every message is: a frozen pydantic model that knows its topic, its type and its key."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from schemas.topics import Topic

Text = Annotated[str, StringConstraints(max_length=200)]
"""A short text that people read: a name, a label, an address."""
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._~@+-]+$")]
"""An id that is safe as a Kafka key, in a URL path and in a log line."""
Digest = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""A SHA-256 or HMAC-SHA256 value, 32 bytes, base64url without padding (RFC 4648 section 5)."""
Jws = Annotated[str, StringConstraints(max_length=8192, pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")]
"""A JSON Web Signature in its compact form (RFC 7515 section 7.1)."""
Sealed = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}$")]
"""A secret, sealed for its row: JSON Web Encryption in its compact form (RFC 7516 section 7.1)."""
Moment = AwareDatetime
"""A point in time, ISO 8601 with its offset on the wire."""


class Model(BaseModel):
    """A value that is checked when it is made and never changes. Unknown fields are ignored (a newer sender).

    The text of a failed check holds nothing of what was checked: it may end up in a log.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Message(Model):
    """A message that travels through Kafka.

    Attributes:
        topic: Where it is published.
        type: Its CloudEvents type, with the version of its format.

    """

    topic: ClassVar[Topic]
    type: ClassVar[str]

    @property
    def key(self) -> str:
        """Return the record's key, which decides the partition and so who decides."""
        raise NotImplementedError


class Command(Message):
    """A message by which a web side, an operator or another table asks a table's owner for a decision.

    Attributes:
        at: When it was given, by the clock of who gave it: the event's time, and so the decision's.

    """

    at: Moment


class Browser(Model):
    """The browser that asks, as the person on the phone gets to see it.

    Attributes:
        name: Browser and system, for example ``Firefox on Linux``.
        address: The IP address that the request came from.
        place: Where that address is, as far as is known, for example ``Geneva, Switzerland``; else empty.
        first_time: True if no sign-in of this account was completed in this browser before.

    """

    name: Text
    address: Text
    place: Text = ""
    first_time: bool = False

    def as_first_time(self, *, first_time: bool) -> "Browser":
        """Return the browser with what is known of it."""
        return Browser(name=self.name, address=self.address, place=self.place, first_time=first_time)


NAME_CHARACTERS: Final = 60
"""No name of a phone or an app is longer, so that it fits on one line of a page."""
Coordinate = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""A coordinate of a P-256 point, 32 bytes, base64url without padding."""


class AgreementKey(Model):
    """A P-256 public key for key agreement, as a JWK (RFC 7518 section 6.2.1)."""

    kty: Literal["EC"] = "EC"
    crv: Literal["P-256"] = "P-256"
    x: Coordinate
    y: Coordinate
