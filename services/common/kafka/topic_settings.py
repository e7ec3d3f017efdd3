"""The settings that each topic needs in Kafka, and what a topic that differs endangers.

They follow from the declaration of the topic (`schemas/topics.py`). Source of the names: Apache Kafka 4.3, "Topic
Configs".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from schemas.topics import COMPACTION_LAG_SECONDS, Topic, TopicKind

MIN_IN_SYNC: Final = "min.insync.replicas"
SAFE_REPLICATION: Final = 3
UNLIMITED: Final = -1
LARGEST_RECORD_BYTES: Final = 1_048_588
"""Kafka's usual limit, a mebibyte with its envelope."""
_HOUR_SECONDS: Final = 60 * 60


@dataclass(frozen=True, slots=True)
class TopicSetting:
    """One setting of a topic.

    Attributes:
        name: Kafka's name of it.
        value: The value with which the topic is created.
        at_least: Whether a larger number, or -1 for no limit, is as good.
        endangers: Whether records or rows may be lost where it differs; with a number, where it is less.

    """

    name: str
    value: str
    at_least: bool = False
    endangers: bool = False

    def accepts(self, found: str) -> bool:
        """Return whether a topic may have another value."""
        if not self.at_least or found == self.value:
            return found == self.value
        return int(found) == UNLIMITED or (int(self.value) != UNLIMITED and int(found) >= int(self.value))

    def endangered_by(self, found: str) -> bool:
        """Return whether records or rows may be lost with a value that is not accepted."""
        if not self.endangers:
            return False
        return not _is_number(self.value) or int(self.value) == UNLIMITED or int(found) < int(self.value)


@dataclass(frozen=True, slots=True)
class SettingDifference:
    """A setting of a topic that is not as it must be.

    Attributes:
        topic: The topic's full name.
        setting: What it must be.
        found: What it is.

    """

    topic: str
    setting: TopicSetting
    found: str

    @property
    def endangers(self) -> bool:
        """Whether records or rows may be lost."""
        return self.setting.endangered_by(self.found)

    def __str__(self) -> str:
        more = " or more" if self.setting.at_least and int(self.setting.value) != UNLIMITED else ""
        return f"{self.topic} has {self.setting.name} {self.found} instead of {self.setting.value}{more}"


def topic_settings(topic: Topic, replication: int) -> tuple[TopicSetting, ...]:
    """Return the settings that a topic needs, for a replication factor."""
    # With three replicas, a write needs two of them, so that one broker may fail.
    in_sync = "2" if replication >= SAFE_REPLICATION else "1"
    common = (
        TopicSetting(MIN_IN_SYNC, in_sync, at_least=True, endangers=True),
        TopicSetting("max.message.bytes", str(LARGEST_RECORD_BYTES), at_least=True, endangers=True),
    )
    return (*common, *(_changelog_settings() if topic.compacted else _event_settings(topic)))


def creation_settings(topic: Topic, replication: int) -> dict[str, str]:
    """Return the settings with which a topic is created, by Kafka's names."""
    return {setting.name: setting.value for setting in topic_settings(topic, replication)}


def _changelog_settings() -> tuple[TopicSetting, ...]:
    # Only closed segments are compacted. An instance without local data reads the whole table at its start, so replaced
    # records should be gone after a day, and not only when they are half of the topic. An owner needs the day to write
    # again what compaction would lose (docs/adr/0030-one-store.md).
    lag = str(COMPACTION_LAG_SECONDS * 1000)
    return (
        TopicSetting("cleanup.policy", "compact", endangers=True),
        TopicSetting("min.compaction.lag.ms", lag, at_least=True, endangers=True),
        TopicSetting("min.cleanable.dirty.ratio", "0.2"),
        TopicSetting("segment.ms", str(_HOUR_SECONDS * 1000)),
    )


def _event_settings(topic: Topic) -> tuple[TopicSetting, ...]:
    retention = topic.retention_seconds or 0
    # Events may be kept for longer, as evidence. Commands may not: a reader that begins anew would carry old ones out.
    longer = topic.kind is not TopicKind.COMMAND
    return (
        # Kafka's own clock, which bounds what a sender's wrong clock can do.
        TopicSetting("message.timestamp.type", "LogAppendTime"),
        TopicSetting("cleanup.policy", "delete", endangers=True),
        TopicSetting("retention.ms", str(retention * 1000), at_least=longer, endangers=True),
        TopicSetting("retention.bytes", str(UNLIMITED), at_least=True, endangers=True),
        # A segment is deleted as a whole, so it spans at most a tenth of the retention, and at least 15 minutes.
        TopicSetting("segment.ms", str(max(retention // 10, _HOUR_SECONDS // 4) * 1000)),
    )


def setting_differences(
    topic: Topic, name: str, found: Mapping[str, str], replication: int
) -> Iterator[SettingDifference]:
    """Yield each setting of a topic that is not as it must be.

    Args:
        topic: The topic.
        name: Its full name.
        found: Its settings; one that is absent is not judged.
        replication: The deployment's replication factor.

    """
    for setting in topic_settings(topic, replication):
        value = found.get(setting.name)
        if value is not None and not setting.accepts(value):
            yield SettingDifference(name, setting, value)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal()
