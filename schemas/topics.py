"""The Kafka topics: names, what their keys are, and how long they keep what they hold."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DAY_SECONDS: Final = 24 * 60 * 60
LOGIN: Final = "login"
PAIRING: Final = "pairing"
PUSH: Final = "push"


class TopicKind(StrEnum):
    """What a topic is for; its retention and its clean-up policy follow from this."""

    EVENT = "event"
    COMMAND = "command"
    CHANGELOG = "changelog"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Attributes:
        name: The name without the deployment's prefix.
        kind: What it is for.
        key: What a record's key is; the key decides which partition's owner decides.
        retention_seconds: How long a record is kept; None keeps the newest of each key (compaction).
        written_by: The services that publish there.
        read_by: The services that read there.

    """

    name: str
    kind: TopicKind
    key: str
    retention_seconds: int | None
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]

    @property
    def compacted(self) -> bool:
        """True where only the newest record of each key matters."""
        return self.kind is TopicKind.CHANGELOG

    @property
    def dead_letter(self) -> "Topic":
        """The topic that takes what this one's reader could not use."""
        return Topic(f"{self.name}.dlq", TopicKind.DEAD_LETTER, self.key, 30 * DAY_SECONDS, self.read_by, ())


PAIRING_REQUESTED: Final = Topic(
    "pairing.requested", TopicKind.EVENT, "phrase digest", 7 * DAY_SECONDS, (LOGIN,), (PAIRING,)
)
DEVICE_PAIRED: Final = Topic("device.paired", TopicKind.EVENT, "account id", 7 * DAY_SECONDS, (PAIRING,), (LOGIN,))
AUTH_CHALLENGE: Final = Topic(
    "auth.challenge", TopicKind.EVENT, "device id", 7 * DAY_SECONDS, (LOGIN, PAIRING), (PUSH,)
)
AUTH_RESPONSE: Final = Topic(
    "auth.response", TopicKind.EVENT, "reply key of the challenge", 7 * DAY_SECONDS, (PUSH,), (LOGIN, PAIRING)
)

PAIRING_FAILED: Final = Topic("pairing.failed", TopicKind.EVENT, "account id", 7 * DAY_SECONDS, (PAIRING,), (LOGIN,))
DEVICE_UNPAIRED: Final = Topic("device.unpaired", TopicKind.EVENT, "account id", 7 * DAY_SECONDS, (LOGIN,), (PUSH,))
PUSH_RECEIPT: Final = Topic("push.receipt", TopicKind.EVENT, "reply key of the challenge", 60 * 60, (PUSH,), (LOGIN,))

LOGIN_COMMANDS: Final = Topic("login.commands", TopicKind.COMMAND, "account id", DAY_SECONDS, (LOGIN,), (LOGIN,))
LOGIN_GUESSES: Final = Topic(
    "login.guesses", TopicKind.COMMAND, "digest of a source of guesses", DAY_SECONDS, (LOGIN,), (LOGIN,)
)
LOGIN_EMAILS: Final = Topic("login.emails", TopicKind.EVENT, "account id", DAY_SECONDS, (LOGIN,), (LOGIN,))
PAIRING_COMMANDS: Final = Topic("pairing.commands", TopicKind.COMMAND, "device id", DAY_SECONDS, (PAIRING,), (PAIRING,))
PAIRING_PHRASES: Final = Topic(
    "pairing.phrases", TopicKind.COMMAND, "phrase digest", DAY_SECONDS, (PAIRING,), (PAIRING,)
)
PUSH_COMMANDS: Final = Topic("push.commands", TopicKind.COMMAND, "device id", DAY_SECONDS, (PUSH,), (PUSH,))

ACCOUNTS_TABLE: Final = "accounts"
GUESSES_TABLE: Final = "guesses"
REQUESTERS_TABLE: Final = "requesters"
PHRASES_TABLE: Final = "phrases"
CHANNELS_TABLE: Final = "channels"


def changelog(service: str, table: str) -> Topic:
    """Return the changelog topic of a service's table, named as Faust names it.

    Args:
        service: The service's name, for example ``login``.
        table: The table's name, for example ``accounts``.

    """
    return Topic(f"{service}-{table}-changelog", TopicKind.CHANGELOG, "the table's key", None, (service,), (service,))


ACCOUNTS_CHANGELOG: Final = changelog("login", ACCOUNTS_TABLE)
GUESSES_CHANGELOG: Final = changelog("login", GUESSES_TABLE)
REQUESTERS_CHANGELOG: Final = changelog("pairing", REQUESTERS_TABLE)
PHRASES_CHANGELOG: Final = changelog("pairing", PHRASES_TABLE)
CHANNELS_CHANGELOG: Final = changelog("push", CHANNELS_TABLE)

CONTRACT: Final = (PAIRING_REQUESTED, DEVICE_PAIRED, AUTH_CHALLENGE, AUTH_RESPONSE)
CONSUMED: Final = (
    *CONTRACT,
    PAIRING_FAILED,
    DEVICE_UNPAIRED,
    LOGIN_COMMANDS,
    LOGIN_GUESSES,
    LOGIN_EMAILS,
    PAIRING_COMMANDS,
    PAIRING_PHRASES,
    PUSH_COMMANDS,
)
CHANGELOGS: Final = (ACCOUNTS_CHANGELOG, GUESSES_CHANGELOG, REQUESTERS_CHANGELOG, PHRASES_CHANGELOG, CHANNELS_CHANGELOG)
ALL: Final = (
    *CONSUMED,
    PUSH_RECEIPT,
    *CHANGELOGS,
    *(topic.dead_letter for topic in CONSUMED),
)
