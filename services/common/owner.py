"""The owner of a table's rows decides every event on them: decode, load, decide, save, publish."""

from collections.abc import Callable
from typing import Any, Generic

import structlog
from faust.types import EventT

from schemas.base import Message
from schemas.codec import Event
from services.common.decisions import Decision, RowT, decide_once
from services.common.edge import Edge, read
from services.common.publisher import Publisher
from services.common.tables import RowTable

log = structlog.get_logger(__name__)


class Owner(Generic[RowT]):
    """Decides the events of one table in this instance, one at a time for each key."""

    def __init__(
        self,
        table: RowTable[RowT],
        decide: Callable[[RowT | None, Event[Message]], Decision[RowT]],
        edge: Edge,
        publisher: Publisher,
    ) -> None:
        """Take the table, its rule, and what surrounds them."""
        self._table = table
        self._decide = decide
        self._edge = edge
        self._publisher = publisher

    async def handle(self, record: EventT[Any]) -> None:
        """Decide one record; what cannot be decided is set aside by the edge."""
        async with self._edge.guard(record):
            event = read(record)
            key = event.data.key
            decision = decide_once(self._table.load(key), event, self._decide)
            # In this order: an answer to what is published must find the row, over any crash (docs/adr/0003).
            await self._table.save(key, decision.row)
            await self._publisher.decided(event, self._table.name, decision.events)
            log.info(
                "decided",
                event_type=event.data.type,
                event_id=event.id,
                table=self._table.name,
                outcome=decision.outcome,
                published=[message.type for message in decision.events],
            )
