"""The push service's storage: its table, and the view of it that every instance has."""

import faust

from schemas.topics import CHANNELS_CHANGELOG, CHANNELS_TABLE, PUSH
from services.common.rows.view import View
from services.common.streams.row_table import RowTable
from services.push.domain.rows import Channel
from services.push.settings import PushSettings


def channels_table(app: faust.App, settings: PushSettings) -> RowTable[Channel]:
    """Declare the table of channels, by device id."""
    return RowTable(app, CHANNELS_TABLE, Channel, settings.partitions)


def channels_view(settings: PushSettings) -> View[Channel]:
    """Return the view of all channels."""
    topic = f"{settings.topic_prefix}{CHANNELS_CHANGELOG.name}"
    return View(settings.kafka_bootstrap, topic, Channel, settings.views_directory_of(PUSH))
