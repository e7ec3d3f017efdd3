"""How long Kafka may keep a fetch that finds nothing."""

from typing import Final

from aiokafka import AIOKafkaConsumer

GROUP_MILLISECONDS: Final = 500
"""In the usual course of a consumer group. Each fetch costs processor time, at both ends."""
REBALANCE_MILLISECONDS: Final = 100
"""While Kafka is asked questions: it answers those of a connection in their order, each after the fetch before it."""
TAIL_MILLISECONDS: Final = 1000
"""Where nothing is asked any more. A record ends the wait whenever it comes; only a partition that another broker leads
from now on is first asked for after it, so this is a part of what people wait for when a broker dies."""


def set_fetch_max_wait(consumer: AIOKafkaConsumer, milliseconds: int) -> None:
    """Let a consumer's next fetches wait for so long where there is nothing to fetch."""
    # aiokafka takes this for good when a consumer is made; there is no setting that can be changed.
    consumer._fetch_max_wait_ms = milliseconds  # noqa: SLF001
    if consumer._fetcher is not None:  # noqa: SLF001 - made when it starts
        consumer._fetcher._fetch_max_wait_ms = milliseconds  # noqa: SLF001
