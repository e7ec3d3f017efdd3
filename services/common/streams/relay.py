"""Passes events on under the key of whom they concern, where no row is needed to know what to say."""

from collections.abc import Callable
from typing import Any

import structlog
from faust.types import EventT

from schemas.base import Message
from schemas.codec import Event
from services.common.kafka.publisher import Publisher
from services.common.streams.record_guard import RecordGuard

log = structlog.get_logger(__name__)


class Relay:
    """Passes on the events of one topic, and keeps nothing: a repeated one is passed on again, under the same ids."""

    def __init__(
        self,
        name: str,
        translate: Callable[[Event[Message]], tuple[Message, ...]],
        edge: RecordGuard,
        publisher: Publisher,
    ) -> None:
        """Take the rule, and what surrounds it.

        Args:
            name: Stands in the source of what it publishes.
            translate: Gives what to publish for an event; pure.
            edge: Guards it.
            publisher: Publishes.

        """
        self._name = name
        self._translate = translate
        self._edge = edge
        self._publisher = publisher

    async def handle(self, record: EventT[Any]) -> None:
        """Pass one record on; what cannot be read is set aside by the edge."""
        async with self._edge.protect(record):
            with self._edge.decoded(record) as event:
                messages = self._translate(event)
                await self._publisher.publish_outputs(event, self._name, messages)
            log.info(
                "passed on" if messages else "passed over",
                event_type=event.data.type,
                event_id=event.id,
                published=[message.type for message in messages],
            )
