"""The push service's tables, relays and topics."""

from typing import Final

from schemas.contract import AuthResponse, PushReceipt
from schemas.push_messages import TellUnpaired
from schemas.topics import AUTH_CHALLENGE, DEVICE_UNPAIRED, PUSH, PUSH_COMMANDS
from services.common.rows.table import Relay, ServiceTopology, Table
from services.push.domain.channel import Channel
from services.push.domain.decide import decide_channel
from services.push.domain.unpaired import relay_unpaired
from services.push.metrics import ChallengeTally

CHANNELS: Final = Table(
    PUSH,
    "channels",
    Channel,
    decide_channel,
    reads=(AUTH_CHALLENGE, PUSH_COMMANDS),
    writes=(PushReceipt,),
    tally=lambda metrics: ChallengeTally(metrics).count,
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
