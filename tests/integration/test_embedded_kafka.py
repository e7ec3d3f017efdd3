"""The embedded Kafka keeps its records over a stop and a crash, and ends with its parent."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.kafka.broker import KafkaStartError
from deploy.local.kafka.embedded import EmbeddedKafka
from deploy.local.ports import PortTakenError
from operations.topics import apply_topics
from schemas.topics import AUTH_CHALLENGE
from services.common.kafka.connection import KafkaConnection
from tests.builders import present
from tests.polling import DEADLINE_SECONDS

PARTITION = TopicPartition(AUTH_CHALLENGE.name, 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide the broker's directory."""
    return tmp_path_factory.mktemp("kafka")


@pytest.fixture(scope="module")
def embedded(folder: Path) -> Iterator[EmbeddedKafka]:
    """Provide a running broker for these tests."""
    broker = EmbeddedKafka(folder)
    broker.start()
    yield broker
    broker.kill()


async def test_records_outlive_a_clean_stop_and_a_crash(embedded: EmbeddedKafka) -> None:
    """All acknowledged records survive both."""
    await apply_topics(KafkaConnection(embedded.bootstrap), "", partitions=1, replication=1)
    await write(embedded.bootstrap, b"first")
    embedded.stop()
    embedded.start()
    await write(embedded.bootstrap, b"second")
    embedded.kill()
    embedded.start()

    assert await read(embedded.bootstrap, count=2) == [b"first", b"second"]


def test_a_taken_port_is_named(embedded: EmbeddedKafka, tmp_path: Path) -> None:
    """The text is one line for the user."""
    port = int(embedded.bootstrap.rpartition(":")[2])

    with pytest.raises(PortTakenError, match=rf"^Port {port} is already in use, and Kafka needs it\.$"):
        EmbeddedKafka(tmp_path / "second", port).start()


def test_kafka_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    """A supervisor that crashes cannot stop the broker, so the kernel must."""
    supervisor = (
        "import sys; from pathlib import Path; from deploy.local.kafka.embedded import EmbeddedKafka\n"
        "broker = EmbeddedKafka(Path(sys.argv[1])); broker.start(); print(broker.brokers[0].pid, flush=True); input()"
    )
    command = [sys.executable, "-c", supervisor, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        pid = int(present(process.stdout).readline())
        assert is_alive(pid)
        process.send_signal(signal.SIGKILL)
        process.wait()

        deadline = time.monotonic() + DEADLINE_SECONDS
        while is_alive(pid):
            assert time.monotonic() < deadline, f"process {pid} still runs"


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_folder_keeps_its_number_of_brokers(embedded: EmbeddedKafka, folder: Path) -> None:
    assert len(embedded.brokers) == 1
    with pytest.raises(KafkaStartError, match=r"is for one broker, not for 3 brokers\. Run it with BROKERS=1"):
        EmbeddedKafka(folder, brokers=3).start()


async def write(bootstrap: str, value: bytes) -> None:
    """Write one record with acks=all."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(PARTITION.topic, value)
    await producer.stop()


async def read(bootstrap: str, count: int) -> list[bytes]:
    """Read the topic's records from the start."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    consumer.assign([PARTITION])
    await consumer.seek_to_beginning()
    values = [(await consumer.getone()).value for _ in range(count)]
    await consumer.stop()
    return values
