"""Decides one phrase's messages, one after the other."""

from schemas.base import Message
from schemas.codec import Event
from services.common.decisions import Decision, decide_once
from services.pairing.domain.phrase import Phrase, decide_phrase
from tests.builders import an_event, pairing_policy


def decide_event(row: Phrase | None, event: Event[Message]) -> Decision[Phrase]:
    """Decide an event as the phrase's owner does."""
    return decide_once(row, event, lambda each, of: decide_phrase(each, of, pairing_policy()))


def decide(row: Phrase | None, message: Message) -> Decision[Phrase]:
    """Decide a message that comes for the first time."""
    return decide_event(row, an_event(message))


def history(*messages: Message) -> Phrase | None:
    """Return the phrase after messages that came one after the other."""
    row: Phrase | None = None
    for message in messages:
        row = decide(row, message).row
    return row
