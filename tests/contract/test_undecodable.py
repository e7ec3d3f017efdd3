"""An undecodable record is rejected, with a reason that contains nothing of the body, since it ends up in logs."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import TYPES, Headers, UndecodableError, decode, encode
from tests.builders import an_event
from tests.contract.recordings import read_recordings
from tests.events import a_challenge, a_response
from tests.messages import a_sign_in

RECORD = encode(an_event(a_sign_in()))
SECRET = "hunter2-hunter2"
"""A placeholder for content that must not appear in a log."""


def _headers(**changes: bytes | None) -> list[tuple[str, bytes | None]]:
    named: dict[str, bytes | None] = {**dict(RECORD.headers), **changes}
    return list(named.items())


def _body(**changes: Any) -> bytes:
    fields: dict[str, Any] = {**json.loads(RECORD.value or b""), **changes}
    return json.dumps(fields).encode()


def _reason(key: bytes | None, value: bytes | None, headers: Any) -> str:
    with pytest.raises(UndecodableError) as caught:
        decode(key, value, headers)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def test_the_record_that_the_others_are_made_of_is_read() -> None:
    assert decode(RECORD.key, RECORD.value, _headers()).data == a_sign_in()
    assert decode(RECORD.key, _body(), _headers()).data == a_sign_in()


def test_an_unknown_type_is_named() -> None:
    assert "countersign.login.sign_in.v9" in _reason(
        RECORD.key, _body(), _headers(ce_type=b"countersign.login.sign_in.v9")
    )


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source", "ce_time"])
def test_a_missing_header_is_named(name: str) -> None:
    headers = [(each, content) for each, content in _headers() if each != name]
    assert name in _reason(RECORD.key, _body(), headers)
    assert name in _reason(RECORD.key, _body(), _headers(**{name: None}))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ce_id", b""),
        ("ce_id", b"x" * 201),
        ("ce_source", b"x" * 201),
        ("traceparent", b"x" * 201),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-03-02T09:00:00"),
    ],
)
def test_a_header_that_does_not_fit_is_named(name: str, content: bytes) -> None:
    reason = _reason(RECORD.key, _body(), _headers(**{name: content}))
    assert name in reason
    assert content == b"" or content.decode() not in reason


def test_a_header_that_is_not_text_is_refused() -> None:
    assert _reason(RECORD.key, _body(), _headers(anything=b"\xff")) == "a header is not UTF-8"


def test_a_very_long_type_is_cut() -> None:
    assert len(_reason(RECORD.key, _body(), _headers(ce_type=b"x" * 10_000))) < 200


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"null",
        b"[]",
        b"{}",
        SECRET.encode(),
        f'{{"account_id": "{SECRET}"'.encode(),
        f'"{SECRET}"'.encode(),
        _body() + SECRET.encode(),
        _body(at=SECRET),
        _body(login_digest=SECRET),
        _body(login_id=f"{SECRET} {SECRET}"),
        _body(login_id=""),
        _body(password_hash=SECRET * 100),
        _body(browser={SECRET: SECRET}),
        _body(browser=[SECRET]),
        _body(browser={"name": SECRET, "address": {SECRET: 1}}),
        _body(**{"at": "2026-03-02T09:00:00", SECRET: SECRET}),
        b'{"account_id":"\xff' + SECRET.encode() + b'"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_body_that_does_not_fit_is_refused_and_not_repeated(value: bytes | None) -> None:
    reason = _reason(RECORD.key, value, _headers())
    assert reason.startswith("does not fit countersign.login.sign_in.v1")
    assert SECRET not in reason


@pytest.mark.parametrize("key", [None, b"", b"bo", b"ALEX", b'"alex"', b"alex\x00", b"\xff"])
def test_a_record_under_another_key_is_refused(key: bytes | None) -> None:
    reason = _reason(key, _body(account_id="alex", login_id=SECRET), _headers())
    assert reason == "the record's key is not the message's"


def test_a_message_under_another_type_is_refused() -> None:
    reason = _reason(RECORD.key, _body(), _headers(ce_type=b"countersign.login.open_account.v1"))
    assert (
        reason
        == "does not fit countersign.login.open_account.v1: name_digest: missing; name: missing; display_name: missing"
    )


@given(st.binary(max_size=200), st.sampled_from(sorted(TYPES)))
def test_any_bytes_are_refused_in_the_same_way(value: bytes, name: str) -> None:
    _reason(b"alex", value, _headers(ce_type=name.encode()))


@given(
    st.sampled_from(list(read_recordings().values())),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ),
    st.data(),
)
def test_any_value_of_any_field_is_read_or_refused(recording: Any, value: Any, data: st.DataObject) -> None:
    fields = json.loads(recording.value)
    fields[data.draw(st.sampled_from(sorted(fields)))] = value
    headers: Headers = recording.headers
    try:
        event = decode(recording.key, json.dumps(fields).encode(), headers)
    except UndecodableError:
        return
    assert decode(recording.key, encode(event).value, headers) == event


def test_an_extension_attribute_that_contradicts_the_message_is_refused() -> None:
    record = encode(an_event(a_response(a_challenge())))
    headers = [(name, b"login" if name == "ce_purpose" else value) for name, value in record.headers]
    with pytest.raises(UndecodableError, match="not the message's"):
        decode(record.key, record.value, headers)
    assert (
        decode(record.key, record.value, record.headers).data
        == decode(record.key, record.value, [each for each in record.headers if each[0] != "ce_purpose"]).data
    )
