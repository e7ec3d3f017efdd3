"""The current models decode every record of every released version, and encode it unchanged."""

import pytest

from schemas.codec import TYPES, decode, encode
from tests.contract.recordings import Recording, read_recordings

RECORDINGS = read_recordings()
each_recording = pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS.keys())


def test_every_type_has_a_recording_and_no_recording_lost_its_type() -> None:
    assert RECORDINGS.keys() == TYPES.keys()


@each_recording
def test_a_recorded_event_can_be_read(recording: Recording) -> None:
    event = decode(recording.key, recording.value, recording.headers)
    assert type(event.data) is TYPES[recording.type]
    assert event.id == f"example-of-{recording.type}"
    assert event.traceparent == dict(recording.headers)["traceparent"].decode()


@each_recording
def test_a_recorded_event_is_written_as_it_was(recording: Recording) -> None:
    record = encode(decode(recording.key, recording.value, recording.headers))
    assert (record.topic, record.key, record.value) == (recording.topic, recording.key, recording.value)
    assert record.headers == recording.headers


@each_recording
def test_fields_of_a_newer_sender_are_ignored(recording: Recording) -> None:
    newer = recording.value[:-1] + b',"a_field_of_tomorrow":{"deep":[1,2,3]}}'
    event = decode(recording.key, newer, [*recording.headers, ("ce_of_tomorrow", b"1"), ("empty", None)])
    assert event == decode(recording.key, recording.value, recording.headers)


@each_recording
def test_every_field_of_a_recorded_event_matters(recording: Recording) -> None:
    fields = TYPES[recording.type].model_fields
    assert fields
    assert all(f'"{name}":'.encode() in recording.value for name in fields)
