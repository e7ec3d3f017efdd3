"""The pairing service's storage: its tables, and the views of them that every instance has."""

import faust

from schemas.topics import PAIRING, PHRASES_CHANGELOG, PHRASES_TABLE, REQUESTERS_CHANGELOG, REQUESTERS_TABLE
from services.common.rows.view import View
from services.common.streams.row_table import RowTable
from services.pairing.domain.rows import Phrase, Requester
from services.pairing.settings import PairingSettings


def requesters_table(app: faust.App, settings: PairingSettings) -> RowTable[Requester]:
    """Declare the table of devices that ask for phrases, by device id."""
    return RowTable(app, REQUESTERS_TABLE, Requester, settings.partitions)


def phrases_table(app: faust.App, settings: PairingSettings) -> RowTable[Phrase]:
    """Declare the table of phrases, by digest."""
    return RowTable(app, PHRASES_TABLE, Phrase, settings.partitions)


def requesters_view(settings: PairingSettings) -> View[Requester]:
    """Return the view of all devices that ask for phrases."""
    topic = f"{settings.topic_prefix}{REQUESTERS_CHANGELOG.name}"
    return View(settings.kafka_bootstrap, topic, Requester, settings.views_directory_of(PAIRING))


def phrases_view(settings: PairingSettings) -> View[Phrase]:
    """Return the view of all phrases."""
    topic = f"{settings.topic_prefix}{PHRASES_CHANGELOG.name}"
    return View(settings.kafka_bootstrap, topic, Phrase, settings.views_directory_of(PAIRING))
