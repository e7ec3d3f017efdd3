"""Rows and what they remember of events."""

from dataclasses import replace
from datetime import timedelta

from schemas.base import Message
from schemas.codec import Event
from schemas.login_messages import AdministratorCommand
from services.common.decisions import Row, RowT
from services.login.domain.account import Account


def without_memory(row: RowT) -> RowT:
    """Return a row without its events and its number of writes."""
    return replace(row, version=0, processed=(), forgotten=(), last_outputs=())


def in_turn(row: Row | None, event: Event[Message]) -> Event[Message]:
    """Return an event that comes after what the row has forgotten, if both are of the same moment."""
    forgotten = [each.at for each in row.forgotten if each.topic == event.data.topic.name] if row is not None else []
    same = [at for at in forgotten if timedelta() <= at - event.time < timedelta(milliseconds=1)]
    return replace(event, time=same[0] + timedelta(microseconds=1)) if same else event


def as_seen(account: Account | None, message: Message) -> Message:
    """Return an administrator's command with the revision of the account that it is for; another message as it is."""
    if not isinstance(message, AdministratorCommand):
        return message
    return message.model_copy(update={"revision": 0 if account is None else account.revision})
