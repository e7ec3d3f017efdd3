"""The login service's agents: commands, pairings and responses in; requests and challenges out."""

from typing import Any

import faust
from faust.types import StreamT, TopicT

from schemas.topics import AUTH_RESPONSE, DEVICE_PAIRED, LOGIN_COMMANDS, LOGIN_GUESSES, PAIRING_FAILED, Topic
from services.common.streams.processor import TableProcessor
from services.login.domain.account import Account
from services.login.domain.guesses import Guesses

READS = (LOGIN_COMMANDS, LOGIN_GUESSES, DEVICE_PAIRED, PAIRING_FAILED, AUTH_RESPONSE)


def declare_agents(  # noqa: C901 - one agent a topic
    app: faust.App, topics: dict[Topic, TopicT], accounts: TableProcessor[Account], guesses: TableProcessor[Guesses]
) -> None:
    """Declare the agents of an instance.

    Args:
        app: The Faust app.
        topics: The topics of READS.
        accounts: Decides for the accounts.
        guesses: Decides for the sources of guesses.

    """

    @app.agent(topics[LOGIN_COMMANDS])
    async def on_login_command(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await accounts.handle(record)

    @app.agent(topics[LOGIN_GUESSES])
    async def on_login_guess(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await guesses.handle(record)

    @app.agent(topics[DEVICE_PAIRED])
    async def on_device_paired(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await accounts.handle(record)

    @app.agent(topics[PAIRING_FAILED])
    async def on_pairing_failed(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await accounts.handle(record)

    @app.agent(topics[AUTH_RESPONSE])
    async def on_auth_response(stream: StreamT[Any]) -> None:
        async for record in stream.events():
            await accounts.handle(record)
