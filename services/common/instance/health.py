"""Whether an instance lives, and whether it can serve: what /live and /ready answer."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import faust

from services.common.kafka.kafka_watch import KafkaWatch
from services.common.rows.view import View
from services.common.streams.faust_patches import recovery_progress
from services.common.streams.record_guard import RecordGuard


class NotReadyReason(StrEnum):
    """What keeps an instance from serving, in plain words."""

    STOPPING = "stopping"
    KAFKA_AWAY = "kafka does not answer"
    VIEWS_CATCHING_UP = "read views are catching up"
    TABLES_RECOVERING = "tables recover"
    ERRORS_REPEATING = "unexpected errors repeat"


class Health:
    """What one instance knows of its own state.

    Attributes:
        stopping: True once the instance was told to stop.

    """

    def __init__(self, app: faust.App, kafka: KafkaWatch, views: Sequence[View[Any]], guard: RecordGuard) -> None:
        self._app = app
        self._kafka = kafka
        self._views = views
        self._guard = guard
        self.stopping = False

    @property
    def kafka(self) -> bool:
        """True while Kafka takes what is written."""
        return self._kafka.answers

    def reasons(self) -> list[NotReadyReason]:
        """Return what keeps this instance from serving; empty when it is ready."""
        found = []
        if self.stopping:
            found.append(NotReadyReason.STOPPING)
        if not self.kafka:
            found.append(NotReadyReason.KAFKA_AWAY)
        if not all(view.ready for view in self._views):
            found.append(NotReadyReason.VIEWS_CATCHING_UP)
        if not self._app.tables.actives_ready:
            found.append(NotReadyReason.TABLES_RECOVERING)
        if not self._guard.healthy:
            found.append(NotReadyReason.ERRORS_REPEATING)
        return found

    def reason_texts(self) -> list[str]:
        """Return the same for people: with how far what is under way has come, and what is the matter with a disk."""
        details = {
            NotReadyReason.KAFKA_AWAY: [f"{NotReadyReason.KAFKA_AWAY}{self._kafka.reason}"],
            NotReadyReason.VIEWS_CATCHING_UP: [view.reason for view in self._views if not view.ready],
            NotReadyReason.TABLES_RECOVERING: [
                f"{NotReadyReason.TABLES_RECOVERING}: {recovery_progress(self._app).percent} %"
            ],
        }
        return list(dict.fromkeys(text for each in self.reasons() for text in details.get(each, [each.value])))
