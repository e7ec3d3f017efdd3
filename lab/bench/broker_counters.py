"""What Kafka counts of itself, read over JMX: records, bytes and requests by topic, and requests by kind.

The names are those of Kafka's documentation, "Monitoring".
"""

import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from operations.kafka_tools import java_command

_TIMEOUT_SECONDS: Final = 120
_TOPICS: Final = "kafka.server:type=BrokerTopicMetrics,name=*,topic=*"
_REQUESTS: Final = "kafka.network:type=RequestMetrics,name=RequestsPerSec,*"
_BY_TOPIC: Final = re.compile(
    r"^kafka\.server:type=BrokerTopicMetrics,name=(\w+),topic=([^,:]+):Count=(\d+)", re.MULTILINE
)
_BY_KIND: Final = re.compile(r"^kafka\.network:.*request=(\w+),version=\d+:Count=(\d+)", re.MULTILINE)
RECORDS: Final = "MessagesInPerSec"
BYTES_IN: Final = "BytesInPerSec"
BYTES_OUT: Final = "BytesOutPerSec"
APPENDS: Final = "TotalProduceRequestsPerSec"
FETCHES: Final = "TotalFetchRequestsPerSec"


class CounterError(Exception):
    """Kafka's counters cannot be read. The text has the reason."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What was counted since Kafka's start, or between two looks.

    Attributes:
        topics: Counts by topic and name.
        requests: Requests by kind, for example ``Produce`` and ``FetchConsumer``.

    """

    topics: Counter[tuple[str, str]]
    requests: Counter[str]

    def since(self, before: Self) -> "Counters":
        """Return what was counted since an earlier look."""
        return Counters(self.topics - before.topics, self.requests - before.requests)


def java_options(port: int) -> list[str]:
    """Return the options by which a Java machine shows its counters on a port of 127.0.0.1; none for port 0."""
    if not port:
        return []
    options = {
        "com.sun.management.jmxremote.host": "127.0.0.1",
        "com.sun.management.jmxremote.port": port,
        "com.sun.management.jmxremote.rmi.port": port,
        "com.sun.management.jmxremote.authenticate": "false",
        "com.sun.management.jmxremote.ssl": "false",
        "java.rmi.server.hostname": "127.0.0.1",
    }
    return [f"-D{name}={value}" for name, value in options.items()]


def read_counters(port: int, log: Path) -> Counters:
    """Read a broker's counters. It takes about a second of CPU.

    Args:
        port: The port of its JMX.
        log: Where the reader logs.

    Raises:
        CounterError: If they cannot be read.

    """
    url = f"service:jmx:rmi:///jndi/rmi://127.0.0.1:{port}/jmxrmi"
    names = ["--object-name", _TOPICS, "--object-name", _REQUESTS]
    how = ["--attributes", "Count", "--one-time", "--report-format", "properties"]
    command = java_command("org.apache.kafka.tools.JmxTool", ["--jmx-url", url, *names, *how], log)
    environment = {name: value for name, value in os.environ.items() if name != "JDK_JAVA_OPTIONS"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=True
        )
    except subprocess.TimeoutExpired as error:
        text = f"Kafka's counters cannot be read: {error}"
        raise CounterError(text) from None
    except subprocess.CalledProcessError as error:
        text = f"Kafka's counters cannot be read:\n{error.stdout}{error.stderr}"
        raise CounterError(text) from None
    return parse_counters(done.stdout)


def parse_counters(text: str) -> Counters:
    """Return the counters that JmxTool printed as properties."""
    topics: Counter[tuple[str, str]] = Counter()
    requests: Counter[str] = Counter()
    for name, topic, count in _BY_TOPIC.findall(text):
        topics[topic, name] += int(count)
    for kind, count in _BY_KIND.findall(text):
        requests[kind] += int(count)
    return Counters(topics, requests)
