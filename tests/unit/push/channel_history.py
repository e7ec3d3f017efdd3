"""Decides one channel's messages, one after the other."""

from schemas.base import Message
from services.common.decisions import Decision, decide_once
from services.push.domain.channel import Channel
from services.push.domain.decide import decide_channel
from tests.builders import Phone, a_phone, an_event, present
from tests.rows import in_turn


def a_channel(phone: Phone | None = None) -> Channel:
    """Return the channel of a phone that connected once and for which nothing waits."""
    phone = phone or a_phone()
    return Channel(device_id=phone.device_id, device_name=phone.name)


def take(row: Channel | None, message: Message) -> Decision[Channel]:
    """Decide a message as the channel's owner does."""
    return decide_once(row, in_turn(row, an_event(message)), decide_channel)


def channel_after(*messages: Message, begin: Channel | None = None) -> Channel:
    """Return a channel after messages that came one after the other."""
    row: Channel | None = begin or a_channel()
    for message in messages:
        row = take(row, message).row
    return present(row)
