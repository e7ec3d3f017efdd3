"""Prints the records of all topics as they pass."""

import asyncio
from collections.abc import Callable
from typing import Final

from operations.deployment import ALL
from schemas.topics import TopicKind
from services.common.kafka.connection import KafkaConnection

SHOWN: Final = (TopicKind.EVENT, TopicKind.COMMAND, TopicKind.DEAD_LETTER)
SHORT: Final = 16
QUIET_SECONDS: Final = 0.3


class Records:
    """Watches every topic but the tables' changelogs.

    Attributes:
        types: The CloudEvents types that passed, in order.
        dead_letters: The number of dead letters.

    """

    def __init__(self, connection: KafkaConnection, prefix: str, show: Callable[[str], None]) -> None:
        """Prepare it.

        Args:
            connection: How to reach Kafka.
            prefix: What stands before each topic's name.
            show: Prints a line.

        """
        names = [f"{prefix}{topic.name}" for topic in ALL if topic.kind in SHOWN]
        self._prefix = prefix
        self._show = show
        self._consumer = connection.consumer(*names, group_id=None)
        self.types: list[str] = []
        self.dead_letters = 0

    async def start(self) -> None:
        """Begin to watch."""
        await self._consumer.start()
        for partition in self._consumer.assignment():
            await self._consumer.position(partition)

    async def stop(self) -> None:
        """End."""
        await self._consumer.stop()

    async def show_new(self) -> None:
        """Print what came since the last call, in the order of its time; return once nothing more comes."""
        while True:
            batches = await self._consumer.getmany(timeout_ms=int(QUIET_SECONDS * 1000))
            records = sorted(
                (record for batch in batches.values() for record in batch), key=lambda each: each.timestamp
            )
            if not records:
                return
            for record in records:
                topic = record.topic.removeprefix(self._prefix)
                kind = dict(record.headers).get("ce_type", b"?").decode()
                self.types.append(kind)
                self.dead_letters += topic.endswith(".dlq")
                key = (record.key or b"").decode()
                short = key if len(key) <= SHORT else f"{key[:SHORT]}…"
                self._show(f"{topic:<18} {short:<18} {kind}")
            await asyncio.sleep(0)
