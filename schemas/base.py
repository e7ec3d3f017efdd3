"""The base classes and field types of all messages."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, model_validator

from schemas.topics import Topic

Text = Annotated[str, StringConstraints(max_length=200)]
"""A short text that people read: a name, a label, an address."""
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._~@+-]+$")]
"""An id that is safe as a Kafka key, in a URL path and in a log line."""
Digest = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""A SHA-256 or HMAC-SHA256 digest, 32 bytes, base64url without padding (RFC 4648 section 5)."""
Jws = Annotated[str, StringConstraints(max_length=8192, pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")]
"""A JSON Web Signature in compact serialisation (RFC 7515 section 7.1)."""
Sealed = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4}$")]
"""A secret, encrypted for its row: JSON Web Encryption in compact serialisation (RFC 7516 section 7.1)."""
Moment = AwareDatetime
"""A point in time; on the wire, ISO 8601 with its offset."""


class Model(BaseModel):
    """An immutable, validated value. Unknown fields, from a newer sender, are ignored.

    Validation errors hide the input, since they may end up in a log.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Message(Model):
    """A message in Kafka.

    Attributes:
        topic: Its topic.
        type: Its CloudEvents type, including the version of its format.

    """

    topic: ClassVar[Topic]
    type: ClassVar[str]

    @property
    def key(self) -> str:
        """Return the record's key, which determines the partition and so the owner that decides."""
        raise NotImplementedError

    @property
    def extensions(self) -> Mapping[str, str]:
        """CloudEvents extension attributes, which tell a reader without decoding the message whether it is for it."""
        return {}


class Command(Message):
    """A request from a web side, an operator or another table to a table's owner for a decision.

    Attributes:
        at: When the sender issued it, by the sender's clock: the time of the event and of the decision.

    """

    at: Moment


class Browser(Model):
    """The requesting browser, as the phone shows it.

    Attributes:
        name: Browser and system, for example ``Firefox on Linux``.
        address: The IP address of the request.
        place: The location of that address, for example ``Geneva, Switzerland``; empty if unknown.
        first_time: True if no sign-in of this account was completed in this browser before.

    """

    name: Text
    address: Text
    place: Text = ""
    first_time: bool = False

    def as_first_time(self, *, first_time: bool) -> "Browser":
        """Return the browser with `first_time` set."""
        return Browser(name=self.name, address=self.address, place=self.place, first_time=first_time)


NAME_CHARACTERS: Final = 60
"""Maximum length of a phone's or an app's name, so that it fits on one line of a page."""
Coordinate = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""A coordinate of a P-256 point, 32 bytes, base64url without padding."""


class AgreementKey(Model):
    """A P-256 public key for key agreement, as a JWK (RFC 7518 section 6.2.1)."""

    kty: Literal["EC"] = "EC"
    crv: Literal["P-256"] = "P-256"
    x: Coordinate
    y: Coordinate

    @model_validator(mode="before")
    @classmethod
    def _refuse_private(cls, jwk: Any) -> Any:
        if isinstance(jwk, Mapping) and "d" in jwk:
            text = "it has a private member"
            raise ValueError(text)
        return jwk
