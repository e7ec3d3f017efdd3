"""The real Kafka that tests run on: one for the whole run, with topics of its own for each test that asks."""

import gc
import os
import shutil
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten
from typing import Final

import docker
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from deploy.kafka.embedded import EmbeddedKafka
from deploy.kafka.settings import HOST, Node, server_settings
from deploy.ports import free_port
from deploy.topics import apply_topics

PARTITIONS: Final = 4
"""Partitions of each topic in tests; more than the instances that any test starts."""
_IMAGE: Final = "apache/kafka:4.3.1"
_ENGINE_TIMEOUT_SECONDS: Final = 5
_START_TIMEOUT_SECONDS: Final = 120
_MEMORY_DISK: Final = Path("/dev/shm")  # noqa: S108 - the folders made there have names that nobody can guess
_ROOM_BYTES: Final = 2 * 1024**3
_WHICH_KAFKA: Final = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Iterator[str]:
    """Give the address, ``host:port``, of a Kafka with one broker: in a container where Docker can, else embedded."""
    temporary = TemporaryDirectory(prefix="kafka-", dir=_quick_disk())
    with temporary as directory, _broker(pytestconfig, Path(directory)) as bootstrap:
        yield bootstrap


@pytest.fixture
def topic_prefix() -> str:
    """Give a prefix for topic names that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}."


@pytest.fixture
async def topics(kafka: str, topic_prefix: str) -> AsyncIterator[str]:
    """Provision all topics under this test's prefix, give the prefix, and remove them afterwards."""
    applied = await apply_topics(kafka, topic_prefix, PARTITIONS, replication=1)
    yield topic_prefix
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_topics(list(applied.created))
    await admin.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which Kafka the tests ran on, and why."""
    which = config.stash.get(_WHICH_KAFKA, None)
    if which:
        terminalreporter.write_line(f"Kafka: {which}")


@contextmanager
def _broker(config: pytest.Config, directory: Path) -> Iterator[str]:
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
        embedded = EmbeddedKafka(directory)
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
