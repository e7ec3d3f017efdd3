"""The real Kafka that tests run on: one for the whole run, with topics of its own for each test that asks.

Where several processes run tests, the one that hands them out starts it for all: even an idle broker takes 4 % of a
core, and one that is used by three is warm three times as soon.
"""

import asyncio
import gc
import os
import shutil
import uuid
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten
from typing import Any, Final

import docker
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from deploy.local.kafka.embedded import EmbeddedKafka
from deploy.local.kafka.settings import HOST, Node, server_settings
from deploy.local.ports import free_port
from deploy.local.stack import StackOptions
from operations.topics import apply_topics
from services.common.kafka.connection import KafkaConnection

PARTITIONS: Final = 3
"""Partitions of each topic in tests; more than the instances that any test starts."""
_IMAGE: Final = "apache/kafka:4.3.1"
_ENGINE_TIMEOUT_SECONDS: Final = 5
_START_TIMEOUT_SECONDS: Final = 120
_MEMORY_DISK: Final = Path("/dev/shm")  # noqa: S108 - the folders made there have names that nobody can guess
_ROOM_BYTES: Final = 2 * 1024**3
_WHICH_KAFKA: Final = pytest.StashKey[str]()
_RUNNING: Final = pytest.StashKey[ExitStack]()
_ADDRESS: Final = pytest.StashKey[str]()
_GIVEN: Final = "kafka"
"""The name by which a process of tests is given the address."""


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start it before the first of several processes of tests, and tell each where it is."""
    if _RUNNING not in node.config.stash:
        node.config.stash[_RUNNING] = running = ExitStack()
        node.config.stash[_ADDRESS] = running.enter_context(_broker(node.config))
    node.workerinput[_GIVEN] = node.config.stash[_ADDRESS]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop it once all those processes are done."""
    config.stash.get(_RUNNING, ExitStack()).close()


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Iterator[str]:
    """Give the address, ``host:port``, of a Kafka with one broker: in a container where Docker can, else embedded."""
    given: str | None = getattr(pytestconfig, "workerinput", {}).get(_GIVEN)
    if given:
        yield given
    else:
        with _broker(pytestconfig) as bootstrap:
            yield bootstrap


@contextmanager
def own_prefix(bootstrap: str) -> Iterator[str]:
    """Give a prefix for topic names that nobody else has, and remove its topics in the end: idle ones cost, too."""
    prefix = f"t{uuid.uuid4().hex[:12]}."
    try:
        yield prefix
    finally:
        # In a thread, so that it can be where an event loop runs already.
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(asyncio.run, _remove_topics(bootstrap, prefix)).result()


@pytest.fixture
def topic_prefix(kafka: str) -> Iterator[str]:
    """Give a prefix for topic names that no other test has."""
    with own_prefix(kafka) as prefix:
        yield prefix


@pytest.fixture
async def topics(kafka: str, topic_prefix: str) -> str:
    """Provision all topics under this test's prefix; give the prefix."""
    await apply_topics(KafkaConnection(kafka), topic_prefix, PARTITIONS, replication=1)
    return topic_prefix


@pytest.fixture(scope="module")
def stack_options(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackOptions]:
    """Give the options of a stack on this Kafka that the tests of a module share."""
    with own_prefix(kafka) as prefix:
        folder = tmp_path_factory.mktemp("stack")
        yield StackOptions(folder, kafka_bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which Kafka the tests ran on, and why."""
    which = config.stash.get(_WHICH_KAFKA, None)
    if which:
        terminalreporter.write_line(f"Kafka: {which}")


async def _remove_topics(bootstrap: str, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic for topic in await admin.list_topics() if topic.startswith(prefix)])
    finally:
        await admin.close()


@contextmanager
def _broker(config: pytest.Config) -> Iterator[str]:
    port = free_port()
    try:
        container = _kafka_container(port).start() if engine_answers() else None
        which = f"a container of {_IMAGE}" if container else "embedded (no Docker engine answers)"
    except DockerException as error:
        container, which = None, f"embedded (Docker could not start {_IMAGE}: {shorten(str(error), 300)})"
    config.stash[_WHICH_KAFKA] = which
    if container:
        try:
            yield f"{HOST}:{port}"
        finally:
            container.stop()
    else:
        with TemporaryDirectory(prefix="kafka-", dir=_quick_disk()) as directory:
            embedded = EmbeddedKafka(Path(directory))
            embedded.start()
            try:
                yield embedded.bootstrap
            finally:
                embedded.stop()


def _quick_disk() -> Path | None:
    """Return a disk in memory, if this machine has one with room; None means the usual place for temporary files.

    Kafka waits for the disk twice for each partition that it makes, and here each test makes a hundred of them.
    """
    has_room = _MEMORY_DISK.is_dir() and shutil.disk_usage(_MEMORY_DISK).free > _ROOM_BYTES
    return _MEMORY_DISK if has_room and os.access(_MEMORY_DISK, os.W_OK) else None


def engine_answers() -> bool:
    with warnings.catch_warnings():
        # The client leaves its socket open when nothing answers; it is closed here and now, unannounced.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with closing(docker.from_env(timeout=_ENGINE_TIMEOUT_SECONDS)) as client:
                return bool(client.ping())
        except DockerException:
            return False
        finally:
            gc.collect()


def _kafka_container(port: int) -> DockerContainer:
    """Describe a container with the same settings as the embedded broker, reached on this machine's port."""
    controller_port = port + 1 if port % 2 else port - 1
    node = Node(1, port, controller_port, Path("/tmp/kafka"))  # noqa: S108 - a path inside the container
    settings = server_settings(node, [node]) | {
        "listeners": f"BROKER://0.0.0.0:{port},CONTROLLER://{HOST}:{controller_port}",
        # The image formats its storage for voters that are named beforehand.
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
    }
    del settings["controller.quorum.bootstrap.servers"]
    container = DockerContainer(_IMAGE).with_bind_ports(port, port)
    for name, value in settings.items():
        container.with_env(f"KAFKA_{name.upper().replace('.', '_')}", value)
    started = LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(_START_TIMEOUT_SECONDS)
    return container.waiting_for(started)
