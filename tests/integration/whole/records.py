"""What a run leaves behind: the records of every topic, and the services' logs."""

import json
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from deploy.local.stack import Stack
from operations.deployment import ALL


@dataclass(frozen=True)
class Passed:
    """A record that is in some topic: its key, its type, its trace's id, and all its bytes."""

    key: bytes
    type: str
    trace: str
    content: bytes


async def all_records(stack: Stack) -> list[Passed]:
    """Return every record of every topic."""
    names = [f"{stack.topic_prefix}{topic.name}" for topic in ALL]
    consumer = AIOKafkaConsumer(*names, bootstrap_servers=stack.bootstrap, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(sorted(consumer.assignment()))
        found = []
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    headers = dict(record.headers)
                    kind, traceparent = (headers.get(name, b"").decode() for name in ("ce_type", "traceparent"))
                    content = (record.key or b"") + (record.value or b"") + b"".join(headers.values())
                    found.append(Passed(record.key or b"", kind, traceparent[3:35], content))
        return found
    finally:
        await consumer.stop()


def log_lines(stack: Stack) -> list[dict[str, object]]:
    """Return what the services logged."""
    files: list[Path] = [stack.logs / f"{name}.log" for name in stack.instances]
    return [json.loads(line) for path in files for line in path.read_text().splitlines() if line.startswith("{")]
