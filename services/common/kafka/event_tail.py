"""Follows the events of a topic without a consumer group: every instance reads all of them, and none is decided on."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from schemas.base import Message
from schemas.codec import Event, UndecodableError, decode
from services.common.clock import now
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.log import LogRecord, start_reader
from services.common.kafka.tail import tail

log = structlog.get_logger(__name__)


class EventTail:
    """The newest events of one topic."""

    def __init__(
        self, connection: KafkaConnection, topic: str, look_back: timedelta, apply: Callable[[Event[Message]], None]
    ) -> None:
        """Prepare the tail.

        Args:
            connection: How to reach Kafka.
            topic: The topic's full name.
            look_back: How old the first events are.
            apply: Takes each event, in the order of its partition.

        """
        self._connection = connection
        self._topic = topic
        self._look_back = look_back
        self._take = apply

    async def run(self) -> None:
        """Follow the topic until cancelled."""
        since = int((now() - self._look_back).timestamp() * 1000)
        reader = await start_reader(self._connection, self._topic)
        try:
            await reader.seek_time(since)
            await tail(reader, self._apply)
        finally:
            await reader.stop()

    def _apply(self, partition: int, records: Sequence[LogRecord]) -> None:
        for record in records:
            try:
                event = decode(record.key, record.value, record.headers, record.timestamp)
            except UndecodableError as error:
                place = f"{self._topic}/{partition}/{record.offset}"
                log.warning("event ignored", record=place, reason=str(error))
            else:
                self._take(event)
