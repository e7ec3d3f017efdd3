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
from schemas.contract import (
    ChallengeWithdrawn,
    Delivery,
    PairingFailed,
    PairingFailure,
    PairingWithdrawn,
    PushReceipt,
)
from schemas.login_administration import CreateAccount, RemoveAccount
from schemas.login_notices import NoticeDue, NoticeKind
from schemas.pairing_commands import RetirePhrase
from schemas.push_commands import RegisterDevice
from tests.builders import T0, a_browser, a_phone, an_event
from tests.events import PHRASE, a_challenge, a_paired, a_pairing_request, a_response, an_issued_challenge, an_unpairing
from tests.messages import (
    a_cancel,
    a_pairing_start,
    a_parting,
    a_phrase_request,
    a_send,
    a_sign_in,
    a_sign_out,
    a_submission,
    a_wrong_password,
    an_issue,
)

PASSWORD_HASH: Final = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"
DIRECTORY: Final = Path(__file__).parent / "v1"


@dataclass(frozen=True, slots=True)
class Recording:
    """What Kafka carried of an event."""

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


def _examples() -> list[Message]:
    issued = an_issued_challenge()
    return [
        CreateAccount(account_id="alex", at=T0, display_name="Zoë", password_hash=PASSWORD_HASH),
        RemoveAccount(account_id="alex", at=T0),
        a_sign_in(),
        a_wrong_password(),
        a_pairing_start(),
        a_send(),
        a_cancel(),
        a_sign_out(),
        NoticeDue(
            account_id="alex",
            account_name="Zoë",
            address="zoe@example.org",
            kind=NoticeKind.RECOVERY_CODE_USED,
            at=T0,
            browser=a_browser(),
            method_name="Pixel 9",
            identifier="notice-1",
            left=9,
        ),
        a_phrase_request(),
        an_issue(),
        RetirePhrase(phrase_digest=PHRASE, device_id=a_phone().device_id, at=T0),
        a_pairing_request(),
        PairingWithdrawn(phrase_digest=PHRASE, pairing_id="pairing-1"),
        PairingFailed(pairing_id="pairing-1", account_id="alex", reason=PairingFailure.DECLINED),
        a_paired(),
        an_unpairing(),
        issued,
        ChallengeWithdrawn(challenge_id="challenge-1", device_id=a_phone().device_id),
        a_response(a_challenge()),
        PushReceipt(challenge_id="challenge-1", reply_key="alex", device_name="Pixel 9", delivery=Delivery.DELIVERED),
        RegisterDevice(device_id=a_phone().device_id, at=T0, device_name="Pixel 9"),
        a_submission(issued),
        a_parting(),
    ]


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
    examples = _examples()
    assert {message.type for message in examples} == set(TYPES)
    for example in examples:
        _record(example)
