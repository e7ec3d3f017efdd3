"""The Kafka topics: names, keys and retention."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DAY_SECONDS: Final = 24 * 60 * 60
COMPACTION_LAG_SECONDS: Final = DAY_SECONDS
"""How long compaction leaves a changelog's record alone, so that an owner can write again what a void record hides."""
LOGIN: Final = "login"
PAIRING: Final = "pairing"
PUSH: Final = "push"


class TopicKind(StrEnum):
    """The purpose of a topic, which determines its cleanup policy."""

    EVENT = "event"
    COMMAND = "command"
    CHANGELOG = "changelog"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        name: The name without the deployment's prefix.
        kind: Its purpose.
        key: The meaning of a record's key, which determines the owner that decides.
        retention_seconds: The retention of a record; None keeps the newest record of each key (compaction).

    """

    name: str
    kind: TopicKind
    key: str
    retention_seconds: int | None

    @property
    def compacted(self) -> bool:
        """True if only the newest record of each key is kept."""
        return self.kind is TopicKind.CHANGELOG

    @property
    def dead_letter(self) -> "Topic":
        """The topic of this topic's dead letters."""
        return Topic(f"{self.name}.dlq", TopicKind.DEAD_LETTER, self.key, 30 * DAY_SECONDS)


PAIRING_REQUESTED: Final = Topic("pairing.requested", TopicKind.EVENT, "phrase digest", 7 * DAY_SECONDS)
DEVICE_PAIRED: Final = Topic("device.paired", TopicKind.EVENT, "account id", 7 * DAY_SECONDS)
AUTH_CHALLENGE: Final = Topic("auth.challenge", TopicKind.EVENT, "device id", 7 * DAY_SECONDS)
AUTH_RESPONSE: Final = Topic("auth.response", TopicKind.EVENT, "reply key of the challenge", 7 * DAY_SECONDS)

PAIRING_FAILED: Final = Topic("pairing.failed", TopicKind.EVENT, "account id", 7 * DAY_SECONDS)
DEVICE_UNPAIRED: Final = Topic("device.unpaired", TopicKind.EVENT, "account id", 7 * DAY_SECONDS)
PUSH_RECEIPT: Final = Topic("push.receipt", TopicKind.EVENT, "reply key of the challenge", 60 * 60)

LOGIN_COMMANDS: Final = Topic("login.commands", TopicKind.COMMAND, "account id", DAY_SECONDS)
LOGIN_NAMES: Final = Topic("login.names", TopicKind.COMMAND, "keyed digest of a name", DAY_SECONDS)
LOGIN_GUESSES: Final = Topic("login.guesses", TopicKind.COMMAND, "keyed digest of a source of guesses", DAY_SECONDS)
LOGIN_EMAILS: Final = Topic("login.emails", TopicKind.EVENT, "account id", DAY_SECONDS)
PAIRING_COMMANDS: Final = Topic("pairing.commands", TopicKind.COMMAND, "device id", DAY_SECONDS)
PAIRING_PHRASES: Final = Topic("pairing.phrases", TopicKind.COMMAND, "phrase digest", DAY_SECONDS)
PUSH_COMMANDS: Final = Topic("push.commands", TopicKind.COMMAND, "device id", DAY_SECONDS)

CONTRACT: Final = (PAIRING_REQUESTED, DEVICE_PAIRED, AUTH_CHALLENGE, AUTH_RESPONSE)
