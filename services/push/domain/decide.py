"""The deciders for channels, by message type."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas.base import Message
from schemas.codec import Event
from schemas.contract import ChallengeEnded, ChallengeIssued
from schemas.push_messages import ForgetDevice, RegisterDevice, TellUnpaired
from services.common.decisions import Decision
from services.push.domain import channel, unpaired
from services.push.domain.channel import Channel

DECIDERS: Final[Mapping[type[Message], Callable[[Channel, Event[Any]], Decision[Channel]]]] = {
    ChallengeIssued: channel.keep_challenge,
    ChallengeEnded: channel.end,
    RegisterDevice: channel.register,
    ForgetDevice: channel.forget,
    TellUnpaired: unpaired.keep_statement,
}
"""The decider of each message type."""
NAMING: Final = (ChallengeIssued, TellUnpaired)
"""What names a device, and so begins its channel; no device does by itself."""


def decide_channel(row: Channel | None, event: Event[Message], _policy: None = None) -> Decision[Channel]:
    """Decide on an event for a channel; the outcome is ``ok`` or a refusal's name.

    The row is None for an unknown device. The push service has no policy.
    """
    message = event.data
    decider = DECIDERS.get(type(message))
    if decider is None or (row is None and not isinstance(message, NAMING)):
        return Decision(row)
    return decider(row or Channel(device_id=getattr(message, "device_id")), event)  # noqa: B009 - each of them has one
