"""The push service's tables, relays and topics."""

from datetime import datetime
from typing import Final

from schemas.contract import AuthResponse, PushReceipt
from schemas.push_messages import ForgetDevice, TellUnpaired
from schemas.topics import AUTH_CHALLENGE, DEVICE_UNPAIRED, PUSH, PUSH_COMMANDS
from services.common.rows.table import Relay, ServiceTopology, Sweep, Table
from services.push.domain.channel import Channel
from services.push.domain.decide import decide_channel
from services.push.domain.unpaired import relay_unpaired
from services.push.metrics import ChallengeTally


def _forget_unpaired(row: Channel, at: datetime, _policy: None) -> ForgetDevice | None:
    return ForgetDevice(device_id=row.device_id, at=at) if row.is_forgettable(at) else None


CHANNELS: Final = Table(
    PUSH,
    "channels",
    Channel,
    decide_channel,
    reads=(AUTH_CHALLENGE, PUSH_COMMANDS),
    writes=(PushReceipt,),
    tally=lambda metrics: ChallengeTally(metrics).count,
    sweep=Sweep(_forget_unpaired, batch_size=1000),
)
"""The devices' channels, by device id."""
UNPAIRED: Final = Relay(PUSH, "unpaired", relay_unpaired, reads=(DEVICE_UNPAIRED,), writes=(TellUnpaired,))
"""Relays ended pairings to channels, because those events have the account's id as key."""
TOPOLOGY: Final = ServiceTopology(
    PUSH,
    (CHANNELS,),
    relays=(UNPAIRED,),
    commands=(PUSH_COMMANDS,),
    web_writes=(AuthResponse, PushReceipt),
    observes=(AUTH_CHALLENGE,),
)
