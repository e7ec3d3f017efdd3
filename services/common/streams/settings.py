"""Faust's settings in every service, each with its reason; what differs from service to service is set elsewhere."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.common.rows.store import MEBIBYTE

STREAM_SETTINGS: Final[Mapping[str, object]] = MappingProxyType(
    {
        # exactly_once crashed both workers at a rebalance; rows that know their recent events do the rest.
        "processing_guarantee": "at_least_once",
        "store": "rocksdb://",
        # Topics are provisioned, with their partitions and retention, before a service starts.
        "topic_allow_declare": False,
        # Nothing asks who the leader is, and the topic for it would have to be provisioned.
        "topic_disable_leader": True,
        # A standby reads what nobody may need; a changelog is small and is read within seconds.
        "table_standby_replicas": 0,
        # All in-sync replicas have a record before it counts.
        "producer_acks": -1,
        # A person waits: send each record at once.
        "producer_linger": 0,
        "broker_heartbeat_interval": 0.5,
        # What comes again after a crash is at most what this time holds.
        "broker_commit_interval": 1.0,
        # A worker that stops fetching loses its partitions to the others after this time; one hung agent stops nothing.
        "broker_rebalance_timeout": 30.0,
        "broker_max_poll_interval": 60.0,
        # A stop waits for the message in progress: a cancelled agent acknowledges what it has not finished.
        "stream_wait_empty": True,
        # Few messages are fetched ahead, so few are fetched again after a rebalance.
        "stream_buffer_maxsize": 512,
        # aiohttp of our own serves the pages.
        "web_enabled": False,
        # Log records are ours to format, and so is what goes to standard output.
        "worker_redirect_stdouts": False,
    }
)
"""Keyword arguments of `faust.App`."""

ROCKSDB_OPTIONS: Final[Mapping[str, object]] = MappingProxyType(
    {
        # One database for each partition of each table: Faust's 2 GiB of cache and 3 x 64 MiB of buffers would add up.
        "block_cache_size": 8 * MEBIBYTE,
        "write_buffer_size": 4 * MEBIBYTE,
        "max_write_buffer_number": 2,
    }
)
"""Options of every table."""
