"""The Faust app of a service, with its drains and its topics."""

from pathlib import Path
from typing import Any

import faust
from faust.types import TopicT
from yarl import URL

from schemas.topics import Topic
from services.common.settings import ServiceSettings
from services.common.streams.faust_patches import install_drains
from services.common.streams.settings import STREAM_SETTINGS


def make_stream_app(service: str, settings: ServiceSettings) -> faust.App:
    """Return the Faust app of a service instance; its id, and so its consumer group, is the same for all instances."""
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
    """Return a Faust topic to read: keys and values are bytes, which the record guard decodes."""
    return app.topic(
        f"{settings.topic_prefix}{topic.name}",
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
    )
