"""The long poll of a consumer: how long a broker may hold an empty fetch."""

from typing import Final

from aiokafka import AIOKafkaConsumer

GROUP_MILLISECONDS: Final = 1000
"""For a stable consumer group. Each fetch costs CPU time on both sides."""
REBALANCE_MILLISECONDS: Final = 100
"""For phases with many requests: a broker responds to the requests of a connection in order, each after the fetch
before it."""
TAIL_MILLISECONDS: Final = 1000
"""For a tail, which sends few other requests. A record ends the wait at once. But the consumer fetches from a
partition's new leader only after the wait, so people wait for it when a broker dies."""


def set_fetch_max_wait(consumer: AIOKafkaConsumer, milliseconds: int) -> None:
    """Set how long a consumer's next empty fetches wait."""
    # aiokafka takes this setting only at construction.
    consumer._fetch_max_wait_ms = milliseconds  # noqa: SLF001
    if consumer._fetcher is not None:  # noqa: SLF001 - created at the start
        consumer._fetcher._fetch_max_wait_ms = milliseconds  # noqa: SLF001
