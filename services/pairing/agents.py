"""The pairing service's agents: commands, claims and responses in; challenges and outcomes out."""

from typing import Any

import faust
from faust.types import StreamT, TopicT

from schemas.topics import AUTH_RESPONSE, PAIRING_COMMANDS, PAIRING_PHRASES, PAIRING_REQUESTED, Topic
from services.common.streams.processor import TableProcessor
from services.pairing.domain.rows import Phrase, Requester

READS = (PAIRING_COMMANDS, PAIRING_PHRASES, PAIRING_REQUESTED, AUTH_RESPONSE)


def declare_agents(
    app: faust.App, topics: dict[Topic, TopicT], requesters: TableProcessor[Requester], phrases: TableProcessor[Phrase]
) -> None:
    """Declare the agents of an instance.

    Args:
        app: The Faust app.
        topics: The topics of READS.
        requesters: Decides for the devices that ask for phrases.
        phrases: Decides for the phrases.

    """

    @app.agent(topics[PAIRING_COMMANDS])
    async def on_pairing_command(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await requesters.handle(record)

    @app.agent(topics[PAIRING_PHRASES])
    async def on_pairing_phrase(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await phrases.handle(record)

    @app.agent(topics[PAIRING_REQUESTED])
    async def on_pairing_requested(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await phrases.handle(record)

    @app.agent(topics[AUTH_RESPONSE])
    async def on_auth_response(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await phrases.handle(record)
