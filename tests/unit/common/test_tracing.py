"""The trace that follows a login: continued where it is well-formed, begun where it is not, with no SDK at all."""

from collections.abc import Iterator

import pytest
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import SpanKind

from services.common.telemetry.tracing import (
    NO_SPANS,
    continue_trace,
    current_trace_id,
    current_traceparent,
    join_trace,
    messaging_span,
)

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
"""The example of W3C Trace Context, section 3.2.3."""
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MALFORMED = [
    None,
    b"",
    b"nonsense",
    b"\xff\xfe",
    GIVEN.upper().encode(),
    f"{GIVEN}-more".encode(),
    GIVEN[:-1].encode(),
    f"ff{GIVEN[2:]}".encode(),
    f"00-{'0' * 32}-00f067aa0ba902b7-01".encode(),
    f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01".encode(),
]


@pytest.fixture(autouse=True)
def _no_trace() -> Iterator[None]:
    """Begin and end in no trace."""
    token = attach(Context())
    yield
    detach(token)


def test_the_trace_of_a_record_is_continued() -> None:
    continue_trace([("ce_id", b"1"), ("traceparent", GIVEN.encode())])
    assert current_traceparent() == GIVEN
    assert current_trace_id() == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize("malformed", MALFORMED)
def test_a_record_without_a_well_formed_trace_begins_a_new_one(malformed: bytes | None) -> None:
    begun = set()
    for _ in range(100):
        continue_trace([("traceparent", malformed)])
        begun.add(current_trace_id())
        version, trace_id, span_id, flags = current_traceparent().split("-")
        assert (version, trace_id, len(span_id), flags) == ("00", current_trace_id(), 16, "01")
    assert len(begun) == 100
    assert {len(each) for each in begun} == {32}


def test_what_is_sent_in_no_trace_begins_one_of_its_own() -> None:
    assert (current_traceparent(), current_trace_id()) == ("", "")
    with messaging_span(NO_SPANS, SpanKind.PRODUCER, "login.commands", "event-1"):
        assert len(current_trace_id()) == 32
    assert current_traceparent() == ""


def test_what_is_sent_in_a_trace_stays_in_it() -> None:
    continue_trace([("traceparent", GIVEN.encode())])
    with messaging_span(NO_SPANS, SpanKind.PRODUCER, "login.commands", "event-1"):
        assert current_traceparent() == GIVEN


def test_a_request_goes_on_in_the_trace_that_it_answers_and_stays_in_its_own_where_that_is_none() -> None:
    continue_trace([("traceparent", GIVEN.encode())])
    join_trace("")
    assert current_traceparent() == GIVEN
    join_trace(OTHER)
    assert current_traceparent() == OTHER
