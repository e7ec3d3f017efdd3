"""The Faust app of a service: its settings, drains and topics."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import faust
from faust.types import TopicT
from yarl import URL

from schemas.topics import Topic
from services.common.settings import ServiceSettings
from services.common.streams.faust_patches import install_drains

STREAM_SETTINGS: Final[Mapping[str, object]] = MappingProxyType(
    {
        # exactly_once crashed both workers at a rebalance; rows that remember their recent events give idempotency.
        "processing_guarantee": "at_least_once",
        "store": "rocksdb://",
        # Topics are provisioned, with their partitions and retention, before a service starts.
        "topic_allow_declare": False,
        # No code needs a leader, and its topic would have to be provisioned.
        "topic_disable_leader": True,
        # Without standbys: a changelog is small and is recovered within seconds.
        "table_standby_replicas": 0,
        # All in-sync replicas acknowledge a record.
        "producer_acks": -1,
        # A person waits: send each record at once.
        "producer_linger": 0,
        "broker_heartbeat_interval": 0.5,
        # Bounds what is redelivered after a crash.
        "broker_commit_interval": 1.0,
        # A worker that stops fetching loses its partitions after this time; one hung agent does not stop the others.
        "broker_rebalance_timeout": 30.0,
        "broker_max_poll_interval": 60.0,
        # A stop waits for the message in progress, since a cancelled agent acknowledges an unfinished message.
        "stream_wait_empty": True,
        # A small prefetch, so that little is fetched again after a rebalance.
        "stream_buffer_maxsize": 512,
        # The service has its own aiohttp application.
        "web_enabled": False,
        # structlog formats the output.
        "worker_redirect_stdouts": False,
    }
)
"""Keyword arguments of `faust.App` that are the same in all services."""


def make_stream_app(service: str, settings: ServiceSettings) -> faust.App:
    """Return the Faust app of a service instance; its id, the consumer group, is the same for all instances."""
    directory: Path = settings.data_directory_of(service)
    directory.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {**STREAM_SETTINGS, "broker_session_timeout": settings.session_timeout_seconds}
    app = faust.App(
        f"{settings.topic_prefix}{service}",
        broker=[URL(f"kafka://{host}") for host in settings.kafka_bootstrap.split(",")],
        datadir=str(directory),
        topic_partitions=settings.partitions,
        **options,
    )
    install_drains(app)
    return app


def stream_topic(app: faust.App, settings: ServiceSettings, topic: Topic) -> TopicT:
    """Return a Faust topic whose keys and values are bytes, which the record guard decodes."""
    return app.topic(
        f"{settings.topic_prefix}{topic.name}",
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
    )
