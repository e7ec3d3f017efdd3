"""The recorded events: one file for each message type, as it was when its version was released.

A recording is never changed: what was written then must be read for ever. A new type gets its recording by
`python -m tests.contract.recordings`, which writes only those that are missing.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schemas.base import Message
from schemas.codec import TYPES, Headers, encode
from tests.builders import T0, an_event
from tests.contract.examples import examples

DIRECTORY: Final = Path(__file__).parent / "v1"


@dataclass(frozen=True, slots=True)
class Recording:
    """The recorded form of an event."""

    type: str
    topic: str
    key: bytes
    value: bytes
    headers: Headers


def read_recordings() -> dict[str, Recording]:
    """Return all recordings by their message type."""
    return {path.stem: _read(path) for path in sorted(DIRECTORY.glob("*.json"))}


def _read(path: Path) -> Recording:
    document: dict[str, Any] = json.loads(path.read_text())
    headers = [(name, value.encode()) for name, value in document["headers"].items()]
    value = json.dumps(document["value"], separators=(",", ":"), ensure_ascii=False).encode()
    return Recording(path.stem, document["topic"], document["key"].encode(), value, headers)


def _record(message: Message) -> None:
    path = DIRECTORY / f"{message.type}.json"
    if path.exists():
        return
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    record = encode(an_event(message, event_id=f"example-of-{message.type}", at=T0, traceparent=trace))
    document = {
        "topic": record.topic,
        "headers": {name: (content or b"").decode() for name, content in record.headers},
        "key": (record.key or b"").decode(),
        "value": json.loads(record.value or b""),
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    messages = examples()
    assert {message.type for message in messages} == set(TYPES)
    for message in messages:
        _record(message)
