"""Whether an instance lives, and whether it can serve: what /live and /ready answer."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import faust
import structlog
from aiokafka.errors import KafkaError

from services.common.edge import Edge
from services.common.publisher import Publisher, UnavailableError
from services.common.views import View

log = structlog.get_logger(__name__)
PING_SECONDS: Final = 1.0
PING_TIMEOUT_SECONDS: Final = 1.5


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

    def troubles(self) -> list[str]:
        """Return what keeps this instance from serving, in plain words; empty when it is ready."""
        found = []
        if self.stopping:
            found.append("stopping")
        if not self.kafka:
            found.append("kafka does not answer")
        if not all(view.ready for view in self._views):
            found.append("read views are catching up")
        if not self._app.tables.actives_ready:
            found.append("tables recover")
        if not self._edge.healthy:
            found.append("unexpected errors repeat")
        return found

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
