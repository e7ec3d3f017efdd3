"""What a sign-in stands on, alone: records by bare aiokafka, requests to a bare aiohttp handler, idle sockets."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiokafka import AIOKafkaConsumer

from lab.bench.client.driving import Samples, Window, drive
from services.common.kafka.connection import KafkaConnection

CONNECT_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class RecordsInARow:
    """Records are written, each after Kafka has the one before, and are read along.

    Attributes:
        bootstrap: Kafka's address.
        topic: The topic.
        size: Bytes of a record.
        at_once: How many rows of records at a time.

    """

    bootstrap: str
    topic: str
    size: int
    at_once: int

    async def run(self, begin: Callable[[], Awaitable[Window]]) -> Samples:
        """Connect, and then write."""
        kafka = KafkaConnection(self.bootstrap)
        producer = kafka.producer(acks="all", enable_idempotence=True)
        consumer = kafka.consumer(self.topic)
        async with producer, consumer:
            reading = asyncio.create_task(_read(consumer))
            value, window = secrets.token_bytes(self.size), await begin()

            async def write(samples: Samples) -> None:
                started = time.monotonic()
                await producer.send_and_wait(self.topic, value, secrets.token_bytes(8))
                ended = time.monotonic()
                samples.add(ended, ended - started, 0)

            samples = await drive(self.at_once, window, write)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            return samples


@dataclass(frozen=True, slots=True)
class RequestsInARow:
    """Requests are sent, each after the one before was answered.

    Attributes:
        url: Where.
        at_once: How many rows of requests at a time.

    """

    url: str
    at_once: int

    async def run(self, begin: Callable[[], Awaitable[Window]]) -> Samples:
        """Send them."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            window = await begin()

            async def ask(samples: Samples) -> None:
                started = time.monotonic()
                async with session.get(self.url) as response:
                    await response.read()
                ended = time.monotonic()
                samples.add(ended, ended - started, 1)

            return await drive(self.at_once, window, ask)


@dataclass(frozen=True, slots=True)
class IdleSockets:
    """WebSockets stay open and say nothing.

    Attributes:
        url: Where.
        count: How many.

    """

    url: str
    count: int

    async def run(self, begin: Callable[[], Awaitable[Window]]) -> Samples:
        """Open them, and close them when it begins."""
        async with AsyncExitStack() as stack:
            connector = aiohttp.TCPConnector(limit=0)
            session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            numbers = iter(range(self.count))

            async def open_some() -> None:
                for _ in numbers:
                    await stack.enter_async_context(session.ws_connect(self.url))

            await asyncio.gather(*(open_some() for _ in range(CONNECT_AT_ONCE)))
            await begin()
        return Samples()


async def _read(consumer: AIOKafkaConsumer) -> None:
    async for _record in consumer:
        pass
