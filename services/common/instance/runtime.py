"""The lifecycle of a service instance: web side first, then the Kafka side, until a signal or an error."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import structlog
import uvloop
from aiohttp import web
from aiokafka.errors import InvalidSessionTimeoutError, KafkaError

from services.common.instance.connections import HEAD_SECONDS, Connections, most_connections
from services.common.instance.health import Health
from services.common.instance.resources import DirectoryInUseError, open_secrets, own_directory, raise_open_files
from services.common.kafka.connection import KafkaConnection, KafkaRefusesError
from services.common.kafka.kafka_watch import KafkaWatch, TopicsChangedError
from services.common.kafka.partitions import PartitionsError
from services.common.kafka.publisher import Publisher
from services.common.kafka.security import ConnectionSettingsError
from services.common.keys.key_files import KeyFileError
from services.common.rows.view import View
from services.common.settings import ServiceSettings
from services.common.streams.consumer import StreamConsumer
from services.common.streams.record_guard import RecordGuard
from services.common.telemetry.telemetry import Telemetry, metrics_web

log = structlog.get_logger(__name__)
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
START_PAUSE_SECONDS: Final = 0.5
DRAIN_SECONDS: Final = 5.0
"""Time that requests in progress have to finish after the stop signal."""
BACKLOG: Final = 128
"""Connections that the operating system keeps until they are taken."""
KEEPALIVE_SECONDS: Final = 75.0
"""How long an idle connection is kept: longer than a proxy in front keeps it."""
METRICS_DRAIN_SECONDS: Final = 0.5
"""The same for Prometheus, which retries."""
LEAVE_SECONDS: Final = 8.0
"""Time to finish the events in progress and to leave the consumer group."""
END_SECONDS: Final = 5.0
"""Time for the process to end after that."""
CRASHED_STATUS: Final = 1
UNUSABLE_STATUS: Final = 2
CHECK_SECONDS: Final = 0.5
SESSION_TIMEOUT_INVALID: Final = (
    "Kafka rejects SESSION_TIMEOUT_SECONDS as too short or too long; set it between the brokers' "
    "group.min.session.timeout.ms (usually 6 s) and group.max.session.timeout.ms (usually 30 min)"
)


@dataclass(frozen=True, slots=True)
class ServiceInstance:
    """The parts of one service instance, as its app.py wires them.

    Attributes:
        service: The service's name.
        settings: Its settings.
        connection: How to reach Kafka.
        stream: Decides the records.
        publisher: Publishes its messages.
        kafka: Monitors Kafka.
        views: Its read views.
        guard: Guards its processors.
        health: Its readiness.
        web: Its web application.
        telemetry: Its metrics and traces.
        tasks: Further background tasks, each running until cancelled.

    """

    service: str
    settings: ServiceSettings
    connection: KafkaConnection
    stream: StreamConsumer
    publisher: Publisher
    kafka: KafkaWatch
    views: Sequence[View[Any]]
    guard: RecordGuard
    health: Health
    web: web.Application
    telemetry: Telemetry
    tasks: Sequence[Callable[[], Coroutine[Any, Any, None]]] = field(default=())


class CannotListenError(Exception):
    """A port cannot be bound, usually because it is in use. The text is the operating system's reason.

    Attributes:
        host: The address.
        port: The port.

    """

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(reason)
        self.host = host
        self.port = port


@dataclass(frozen=True, slots=True)
class Listener:
    """A web application that is served on a port."""

    server: asyncio.AbstractServer
    runner: web.AppRunner

    async def cleanup(self) -> None:
        """Close the port, then let requests in progress finish."""
        self.server.close()
        await self.runner.cleanup()


async def listen(application: web.Application, host: str, port: int, drain_seconds: float = DRAIN_SECONDS) -> Listener:
    """Serve a web application on a port until the returned listener is cleaned up.

    Args:
        application: The web application.
        host: The address to listen on.
        port: The port to listen on.
        drain_seconds: Time that requests in progress have to finish at the cleanup.

    Raises:
        CannotListenError: If the port is in use or not permitted.

    """
    connections = Connections(most_connections(), HEAD_SECONDS)
    application.middlewares.insert(0, connections.serve)
    runner = web.AppRunner(
        application,
        handle_signals=False,
        access_log=None,
        shutdown_timeout=drain_seconds,
        keepalive_timeout=KEEPALIVE_SECONDS,
        auto_decompress=False,  # no form or device of ours compresses its requests
    )
    await runner.setup()
    factory = connections.factory(cast("web.Server", runner.server))
    try:
        server = await asyncio.get_running_loop().create_server(factory, host, port, backlog=BACKLOG)
    except OSError as error:
        await runner.cleanup()
        raise CannotListenError(host, port, error.strerror or str(error)) from error
    return Listener(server, runner)


def run(make: Callable[[], ServiceInstance]) -> int:
    """Run an instance in this process until SIGTERM or SIGINT.

    Args:
        make: Wires the instance; called within the event loop.

    Returns:
        The exit status: 0 after a signal; 1 after an error; 2 if the configuration is unusable: a key file, the data
        directory, the connection to Kafka, the number of partitions, or the session timeout.

    """
    # Imported modules are never garbage, and a collection over all of them would delay every request.
    gc.freeze()
    gc.enable()
    try:
        return uvloop.run(_run_and_end(make))
    finally:
        # The loop's handlers are gone by now: a second signal must not change the exit status of a clean stop.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


async def _run_and_end(make: Callable[[], ServiceInstance]) -> int:
    """Run, then end the process even if a library left a task behind that does not end."""
    status = await _run(make)

    def force_exit() -> None:
        log.warning("ended while something still ran")
        os._exit(status)

    watchdog = threading.Timer(END_SECONDS, force_exit)
    watchdog.daemon = True
    watchdog.start()
    return status


async def _run(make: Callable[[], ServiceInstance]) -> int:
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    raise_open_files()
    try:
        instance = make()
        _warn_of_open_secrets(instance)
        with own_directory(instance.settings.data_directory_of(instance.service)):
            return await _listen(stop, instance)
    except (KeyFileError, DirectoryInUseError, ConnectionSettingsError) as error:
        log.error("cannot start", error=str(error))  # noqa: TRY400 - the text says what to do
        return UNUSABLE_STATUS


def _warn_of_open_secrets(instance: ServiceInstance) -> None:
    settings = instance.settings
    directories = (settings.secrets_directory, settings.shared_secrets)
    for path in open_secrets(directories, instance.connection.security.secret_files):
        log.warning("a secret is open to other users; chmod go= closes it", path=str(path))


async def _listen(stop: asyncio.Event, instance: ServiceInstance) -> int:
    settings = instance.settings
    try:
        listener = await listen(instance.web, settings.host, settings.port)
        metrics = await _serve_metrics(instance)
    except CannotListenError as error:
        log.error("cannot listen", host=error.host, port=error.port, error=str(error))  # noqa: TRY400 - no traceback for a port in use
        return CRASHED_STATUS
    log.info("listening", url=settings.url, port=settings.port, metrics_port=settings.metrics_port)
    try:
        return await _run_until(stop, instance, listener)
    finally:
        await asyncio.to_thread(instance.telemetry.close)
        if metrics is not None:
            await metrics.cleanup()


async def _serve_metrics(instance: ServiceInstance) -> Listener | None:
    settings = instance.settings
    if settings.metrics_port is None:
        return None
    application = metrics_web(instance.telemetry.metrics)
    return await listen(application, settings.metrics_host, settings.metrics_port, METRICS_DRAIN_SECONDS)


async def _run_until(stop: asyncio.Event, instance: ServiceInstance, listener: Listener) -> int:
    kafka_side = asyncio.create_task(_run_kafka_side(instance))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({kafka_side, stopping}, return_when=asyncio.FIRST_COMPLETED)
    instance.health.stopping = True
    if kafka_side.done():
        status = _log_error(kafka_side.exception())
    else:
        status = 0
        log.info("stopping", unready_seconds=instance.settings.unready_seconds)
        await asyncio.wait({kafka_side}, timeout=instance.settings.unready_seconds)
    stopping.cancel()
    # Before the Kafka side stops: requests in progress finish, devices and waiting pages connect elsewhere.
    await listener.cleanup()
    kafka_side.cancel()
    _, unfinished = await asyncio.wait({kafka_side}, timeout=LEAVE_SECONDS)
    if unfinished:
        # While Kafka is away, the group cannot be left. Kafka redelivers uncommitted events; nothing is lost.
        log.warning("stopped without leaving the consumer group")
        os._exit(CRASHED_STATUS)
    log.info("stopped")
    return status


def _log_error(error: BaseException | None) -> int:
    """Log the error that stopped the Kafka side, and return the exit status."""
    first = error
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, PartitionsError | KafkaRefusesError):
        log.error("cannot serve", error=str(first))
        return UNUSABLE_STATUS
    if isinstance(first, InvalidSessionTimeoutError):
        log.error("cannot serve", error=SESSION_TIMEOUT_INVALID)
        return UNUSABLE_STATUS
    log.critical("stopping after an error", error=repr(error))
    return CRASHED_STATUS


async def _run_kafka_side(instance: ServiceInstance) -> None:
    """Run on Kafka until cancelled, from the beginning whenever topics were gone; raise the first error."""
    while True:
        try:
            await asyncio.create_task(_run_on_topics(instance))
        except* TopicsChangedError as changed:
            log.warning("begins again with its topics", reason=str(changed.exceptions[0]))


async def _run_on_topics(instance: ServiceInstance) -> None:
    """Run the stream consumer, the views and the background tasks until cancelled; raise the first error.

    No client goes on with a topic that was created anew: positions, sequence numbers and rows are of the one before.
    """
    await _start_publisher(instance.publisher)
    try:
        await instance.kafka.wait_for_topics()
        async with asyncio.TaskGroup() as group:
            group.create_task(instance.kafka.run())
            for view in instance.views:
                group.create_task(view.run())
            for task in instance.tasks:
                group.create_task(task())
            # Not a task of the group: a stop ends it first, while the views still read back what is in progress.
            await instance.stream.run()
    finally:
        await instance.kafka.stop()
        await instance.publisher.stop()


async def _start_publisher(publisher: Publisher) -> None:
    waiting = False
    while True:
        try:
            await publisher.start()
        except KafkaError as error:
            if not waiting:
                log.warning("waiting for kafka", error=str(error))
            waiting = True
            await asyncio.sleep(START_PAUSE_SECONDS)
        else:
            return
