"""Runs a service instance: web side first, then Kafka's side; until told to stop, or until something breaks."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import faust
import structlog
import uvloop
from aiohttp import web
from aiokafka.errors import InvalidSessionTimeoutError, KafkaError

from services.common.instance.health import Health
from services.common.instance.listening import CannotListenError, listen
from services.common.instance.resources import DirectoryInUseError, own_directory, raise_open_files
from services.common.kafka.kafka_watch import KafkaWatch
from services.common.kafka.partitions import PartitionsError
from services.common.kafka.publisher import Publisher
from services.common.keys.key_files import KeyFileError
from services.common.rows.view import View
from services.common.settings import ServiceSettings
from services.common.streams.faust_consumer import DrainedConsumer
from services.common.streams.record_guard import RecordGuard
from services.common.telemetry.telemetry import Telemetry, metrics_web

log = structlog.get_logger(__name__)
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
START_PAUSE_SECONDS: Final = 0.5
METRICS_DRAIN_SECONDS: Final = 0.5
"""How long Prometheus may take to finish then; it asks again."""
LEAVE_SECONDS: Final = 8.0
"""How long it may take to finish what is in progress and to leave the consumer group."""
END_SECONDS: Final = 5.0
"""How long the process may take to end after that."""
CRASHED_STATUS: Final = 1
UNUSABLE_STATUS: Final = 2
CHECK_SECONDS: Final = 0.5
NO_SUCH_SESSION: Final = (
    "Kafka grants no session as short or as long as SESSION_TIMEOUT_SECONDS; set it between the brokers' "
    "group.min.session.timeout.ms (usually 6 s) and group.max.session.timeout.ms (usually 30 min)"
)


@dataclass(frozen=True, slots=True)
class ServiceInstance:
    """The parts of one service instance, as its app.py wires them.

    Attributes:
        service: The service's name.
        settings: Its settings.
        app: Its Faust app, agents and tables declared.
        publisher: Publishes its events.
        kafka: Looks whether Kafka is there.
        views: Its read views.
        guard: Guards its processors.
        health: Knows its state.
        web: Its web application.
        telemetry: What it tells operators.
        tasks: What else runs in the background, each until cancelled.

    """

    service: str
    settings: ServiceSettings
    app: faust.App
    publisher: Publisher
    kafka: KafkaWatch
    views: Sequence[View[Any]]
    guard: RecordGuard
    health: Health
    web: web.Application
    telemetry: Telemetry
    tasks: Sequence[Callable[[], Coroutine[Any, Any, None]]] = field(default=())


def run(make: Callable[[], ServiceInstance]) -> int:
    """Run an instance in this process until SIGTERM or SIGINT.

    Args:
        make: Wires the instance; called within the event loop.

    Returns:
        The exit status: 0 after a stop that was asked for, 1 after a break, 2 if a key file or the data directory
        cannot be used, the topics have another number of partitions than it was told, or Kafka grants no such session.

    """
    # What has been imported is never garbage, and a look through all of it would hold everybody up.
    gc.freeze()
    gc.enable()
    try:
        return uvloop.run(_run_and_end(make))
    finally:
        # The loop's handlers are gone by now: a signal sent twice must not spoil the status of a stop that went well.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


async def _run_and_end(make: Callable[[], ServiceInstance]) -> int:
    """Run, and see to it that the process ends then, even if a task that a library left behind does not."""
    status = await _run(make)

    def end() -> None:
        log.warning("ended while something still ran")
        os._exit(status)

    watchdog = threading.Timer(END_SECONDS, end)
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
        with own_directory(instance.settings.data_directory_of(instance.service)):
            return await _listen(stop, instance)
    except (KeyFileError, DirectoryInUseError) as error:
        log.error("cannot start", error=str(error))  # noqa: TRY400 - the text says what to do
        return UNUSABLE_STATUS


async def _listen(stop: asyncio.Event, instance: ServiceInstance) -> int:
    settings = instance.settings
    try:
        runner = await listen(instance.web, settings.host, settings.port)
        metrics = await _serve_metrics(instance)
    except CannotListenError as error:
        log.error("cannot listen", host=error.host, port=error.port, error=str(error))  # noqa: TRY400 - no traceback for a port in use
        return CRASHED_STATUS
    log.info("listening", url=settings.url, port=settings.port, metrics_port=settings.metrics_port)
    try:
        return await _run_until(stop, instance, runner)
    finally:
        await asyncio.to_thread(instance.telemetry.close)
        if metrics is not None:
            await metrics.cleanup()


async def _serve_metrics(instance: ServiceInstance) -> web.AppRunner | None:
    settings = instance.settings
    if settings.metrics_port is None:
        return None
    application = metrics_web(instance.telemetry.metrics)
    return await listen(application, settings.metrics_host, settings.metrics_port, METRICS_DRAIN_SECONDS)


async def _run_until(stop: asyncio.Event, instance: ServiceInstance, runner: web.AppRunner) -> int:
    work = asyncio.create_task(_work(instance))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    instance.health.stopping = True
    if work.done():
        status = _tell_why(work.exception())
    else:
        status = 0
        log.info("stopping", unready_seconds=instance.settings.unready_seconds)
        await asyncio.wait({work}, timeout=instance.settings.unready_seconds)
    stopping.cancel()
    # Before Kafka's side stops: requests in progress are finished, devices and waiting pages are told to move.
    await runner.cleanup()
    work.cancel()
    _, unfinished = await asyncio.wait({work}, timeout=LEAVE_SECONDS)
    if unfinished:
        # Without Kafka, Faust waits for it even to leave. What is not committed comes again; nothing is lost.
        log.warning("stopped without taking leave of kafka")
        os._exit(CRASHED_STATUS)
    log.info("stopped")
    return status


def _tell_why(error: BaseException | None) -> int:
    """Log what broke, and return the status to end with."""
    first = error
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, PartitionsError):
        log.error("cannot serve", error=str(first))
        return UNUSABLE_STATUS
    if isinstance(first, InvalidSessionTimeoutError):
        log.error("cannot serve", error=NO_SUCH_SESSION)
        return UNUSABLE_STATUS
    log.critical("stopping after a break", error=repr(error))
    return CRASHED_STATUS


async def _work(instance: ServiceInstance) -> None:
    """Do Kafka's side until cancelled; raise if it breaks."""
    await _start_publisher(instance.publisher)
    try:
        await instance.kafka.require()
        async with asyncio.TaskGroup() as group:
            group.create_task(instance.kafka.run())
            for view in instance.views:
                group.create_task(view.run())
            for task in instance.tasks:
                group.create_task(task())
            group.create_task(_stream(instance.app))
            group.create_task(_stay_in_group(instance.app))
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


async def _stay_in_group(app: faust.App) -> None:
    """Raise what keeps the app out of its consumer group for good; Faust, which may still be starting, does not."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        cast(DrainedConsumer, app.consumer).raise_group_error()


async def _stream(app: faust.App) -> None:
    """Run the Faust app until cancelled; raise if it crashes."""
    try:
        await app.start()
        while not app.crashed and not app.should_stop:  # noqa: ASYNC110 - Faust tells of its crash by a flag alone
            await asyncio.sleep(CHECK_SECONDS)
        message = "the stream app ended by itself"
        raise RuntimeError(message) from app.crash_reason
    finally:
        await app.stop()
