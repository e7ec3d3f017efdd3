"""Brokers that leave requests without an answer: they stand still, or the network to them is gone.

Kafka gives what they lead to others within seconds. aiokafka learns of that from any broker, chosen at random, and may
ask the silent one again and again, each time for as long as a request may take.
"""

import time
from typing import Any, Final

from aiokafka.errors import NodeNotReadyError, RequestTimedOutError

REQUEST_MILLISECONDS: Final = 2000
"""How long a broker may take over a request; longer than any fetch waits for records."""
SILENT_SECONDS: Final = 10.0
"""For how long others are asked instead of a silent broker. It may still lead partitions, and is asked for those."""


def avoid_silent_brokers(client: Any) -> None:
    """Have a client ask other brokers for metadata and coordinators than those that were silent lately.

    Args:
        client: The `AIOKafkaClient` of a consumer or producer.

    """
    silent_since: dict[int, float] = {}
    send, brokers = client.send, client.cluster.brokers

    async def noting_send(node_id: int, request: Any, **options: Any) -> Any:
        try:
            response = await send(node_id, request, **options)
        except (RequestTimedOutError, NodeNotReadyError):
            silent_since[node_id] = time.monotonic()
            raise
        silent_since.pop(node_id, None)
        return response

    def answering_brokers() -> set[Any]:
        known: set[Any] = brokers()
        before = time.monotonic() - SILENT_SECONDS
        return {each for each in known if silent_since.get(each.nodeId, before) <= before} or known

    client.send, client.cluster.brokers = noting_send, answering_brokers
