"""Liveness and readiness of an instance, which /live and /ready report."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from services.common.instance.resources import open_files_run_out
from services.common.kafka.kafka_watch import KafkaWatch
from services.common.rows.view import View
from services.common.streams.consumer import StreamConsumer
from services.common.streams.record_guard import RecordGuard


class NotReadyReason(StrEnum):
    """Why an instance is not ready, as text for the operator."""

    STOPPING = "stopping"
    KAFKA_AWAY = "kafka does not answer"
    VIEWS_CATCHING_UP = "read views are catching up"
    TAKING_OVER = "partitions are being taken over"
    ERRORS_REPEATING = "unexpected errors repeat"
    MISSING_TOPICS = "topics are missing"
    UNSAFE_TOPICS = "topics may lose records"
    FILES_RUN_OUT = "open files run out: raise the limit (ulimit -n), or start one more instance"


class Health:
    """The readiness of one instance.

    Attributes:
        stopping: True once the instance has received the stop signal.

    """

    def __init__(
        self, stream: StreamConsumer, kafka: KafkaWatch, views: Sequence[View[Any]], guard: RecordGuard
    ) -> None:
        self._stream = stream
        self._kafka = kafka
        self._views = views
        self._guard = guard
        self.stopping = False

    @property
    def kafka(self) -> bool:
        """True while Kafka accepts writes."""
        return self._kafka.available

    def reasons(self) -> list[NotReadyReason]:
        """Return why this instance is not ready; empty when it is ready."""
        checks = {
            NotReadyReason.STOPPING: self.stopping,
            NotReadyReason.KAFKA_AWAY: not self.kafka,
            NotReadyReason.VIEWS_CATCHING_UP: not all(view.ready for view in self._views),
            NotReadyReason.TAKING_OVER: not self._stream.ready,
            NotReadyReason.ERRORS_REPEATING: not self._guard.healthy,
            NotReadyReason.MISSING_TOPICS: bool(self._kafka.findings.missing),
            NotReadyReason.UNSAFE_TOPICS: bool(self._kafka.findings.endangering),
            NotReadyReason.FILES_RUN_OUT: open_files_run_out(),
        }
        return [reason for reason, applies in checks.items() if applies]

    def reason_texts(self) -> list[str]:
        """Return the reasons as text, with progress in per cent."""
        details = {
            NotReadyReason.KAFKA_AWAY: [f"{NotReadyReason.KAFKA_AWAY}{self._kafka.reason}"],
            NotReadyReason.VIEWS_CATCHING_UP: [view.reason for view in self._views if not view.ready],
            NotReadyReason.MISSING_TOPICS: list(self._kafka.findings.missing),
            NotReadyReason.UNSAFE_TOPICS: list(self._kafka.findings.endangering),
        }
        return list(dict.fromkeys(text for each in self.reasons() for text in details.get(each, [each.value])))
