"""Whether an instance lives, and whether it can serve: what /live and /ready answer."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import faust
import structlog
from aiokafka.errors import KafkaError

from services.common.drains import recovery_progress
from services.common.edge import Edge
from services.common.publisher import Publisher, UnavailableError
from services.common.views import View

log = structlog.get_logger(__name__)
PING_SECONDS: Final = 1.0
PING_TIMEOUT_SECONDS: Final = 1.5


class Trouble(StrEnum):
    """What keeps an instance from serving, in plain words."""

    STOPPING = "stopping"
    KAFKA_AWAY = "kafka does not answer"
    VIEWS_CATCHING_UP = "read views are catching up"
    TABLES_RECOVERING = "tables recover"
    ERRORS_REPEATING = "unexpected errors repeat"


class Health:
    """What one instance knows of its own state.

    Attributes:
        kafka: True while Kafka answers.
        stopping: True once the instance was told to stop.

    """

    def __init__(self, app: faust.App, publisher: Publisher, views: Sequence[View[Any]], edge: Edge) -> None:
        """Take the parts to look at."""
        self._app = app
        self._publisher = publisher
        self._views = views
        self._edge = edge
        self.kafka = False
        self.stopping = False

    def troubles(self) -> list[Trouble]:
        """Return what keeps this instance from serving; empty when it is ready."""
        found = []
        if self.stopping:
            found.append(Trouble.STOPPING)
        if not self.kafka:
            found.append(Trouble.KAFKA_AWAY)
        if not all(view.ready for view in self._views):
            found.append(Trouble.VIEWS_CATCHING_UP)
        if not self._app.tables.actives_ready:
            found.append(Trouble.TABLES_RECOVERING)
        if not self._edge.healthy:
            found.append(Trouble.ERRORS_REPEATING)
        return found

    def reasons(self) -> list[str]:
        """Return the same for people: with how far what is under way has come, and what is the matter with a disk."""
        details = {
            Trouble.VIEWS_CATCHING_UP: [view.trouble for view in self._views if not view.ready],
            Trouble.TABLES_RECOVERING: [f"{Trouble.TABLES_RECOVERING}: {recovery_progress(self._app).percent} %"],
        }
        return list(dict.fromkeys(text for each in self.troubles() for text in details.get(each, [each.value])))

    async def watch_kafka(self) -> None:
        """Ask Kafka again and again whether it is there, until cancelled."""
        while True:
            answers = await self._kafka_answers()
            if answers != self.kafka:
                log.info("kafka answers") if answers else log.warning("kafka does not answer")
            self.kafka = self._publisher.kafka_answers = answers
            await asyncio.sleep(PING_SECONDS)

    async def _kafka_answers(self) -> bool:
        try:
            async with asyncio.timeout(PING_TIMEOUT_SECONDS):
                await self._publisher.ping()
        except (KafkaError, UnavailableError, TimeoutError, OSError):
            return False
        return True
