"""The push service's agents: challenges, ended pairings and commands in, responses out."""

from typing import Any

import faust
from faust.types import StreamT, TopicT

from schemas.topics import AUTH_CHALLENGE, DEVICE_UNPAIRED, PUSH_COMMANDS, Topic
from services.common.streams.processor import TableProcessor
from services.common.streams.relay import Relay
from services.push.domain.rows import Channel

READS = (AUTH_CHALLENGE, PUSH_COMMANDS, DEVICE_UNPAIRED)


def declare_agents(
    app: faust.App, topics: dict[Topic, TopicT], channels: TableProcessor[Channel], unpaired: Relay
) -> None:
    """Declare the agents of an instance.

    Args:
        app: The Faust app.
        topics: The topics of READS.
        channels: Decides for the channels.
        unpaired: Tells the channels of pairings that ended.

    """

    @app.agent(topics[AUTH_CHALLENGE])
    async def on_auth_challenge(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await channels.handle(record)

    @app.agent(topics[PUSH_COMMANDS])
    async def on_push_command(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await channels.handle(record)

    @app.agent(topics[DEVICE_UNPAIRED])
    async def on_device_unpaired(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await unpaired.handle(record)
