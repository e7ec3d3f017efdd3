"""Spans: each is the child of what led to it, an event's id gives its span's, and nobody waits for who takes them."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from deploy.local.ports import free_port
from schemas.base import Message
from schemas.codec import Event
from services.common.settings import ServiceSettings
from services.common.telemetry.spans import ExportedTracing, ReportingExporter
from services.common.telemetry.telemetry import make_telemetry
from services.common.telemetry.tracing import Came, Served, Tracing, current_traceparent, is_traceparent, trace_id
from tests.builders import an_event
from tests.messages import a_cancel
from tests.polling import eventually

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Spans:
    """Tracing whose spans a test looks at."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracing = ExportedTracing("login", "here:1", SimpleSpanProcessor(self._exporter))

    def named(self, name: str) -> ReadableSpan:
        """Return the one span of a name that ended."""
        (found,) = (span for span in self._exporter.get_finished_spans() if span.name == name)
        return found

    @property
    def names(self) -> list[str]:
        """The names of all that ended, in that order."""
        return [span.name for span in self._exporter.get_finished_spans()]


def ids(span: ReadableSpan) -> tuple[str, str, str | None]:
    """Return a span's trace id, its own id and its parent's."""
    context = span.context
    parent = None if span.parent is None else f"{span.parent.span_id:016x}"
    return f"{context.trace_id:032x}", f"{context.span_id:016x}", parent


def came(event: Event[Message]) -> Came:
    """Return an event as a record brings it."""
    return Came(event, "login.commands", 3, 41, "login")


def a_request(traceparent: str = "") -> web.Request:
    """Return a request."""
    headers = {"traceparent": traceparent} if traceparent else {}
    request = make_mocked_request("POST", "/sign-in?code=123456", headers)
    route = web.UrlDispatcher().add_post("/sign-in", serve)
    request._match_info = web.UrlMappingMatchInfo({}, route)  # noqa: SLF001 -- as the router leaves it
    return request


def publish(spans: Spans, event_id: str, topic: str, traceparent: str) -> str:
    """Publish an event, and return the traceparent that it carries."""
    with spans.tracing.publishing(event_id, topic, traceparent) as sent:
        return sent


async def serve(_request: web.Request) -> web.Response:
    """Serve a request."""
    return web.Response()


def test_a_command_is_the_child_of_the_request_that_gave_it_and_its_decision_that_of_the_command() -> None:
    spans = Spans()
    with spans.tracing.serving(a_request(GIVEN), Served(status=303)):
        sent = publish(spans, "event-1", "login.commands", current_traceparent())
    with spans.tracing.deciding(came(an_event(a_cancel(), event_id="event-1", traceparent=sent))):
        led_to = publish(spans, "event-1.0", "auth.challenge", sent)
    request, command = ids(spans.named("POST /sign-in")), ids(spans.named("send login.commands"))
    decision, challenge = ids(spans.named("process login.commands")), ids(spans.named("send auth.challenge"))
    assert {each[0] for each in (request, command, decision, challenge)} == {trace_id(GIVEN)}
    assert [each[2] for each in (request, command, decision, challenge)] == [
        "00f067aa0ba902b7",
        request[1],
        command[1],
        decision[1],
    ]
    assert (sent.split("-")[2], led_to.split("-")[2]) == (command[1], challenge[1])


@pytest.mark.parametrize("traceparent", [GIVEN, ""], ids=["in a trace", "in none"])
def test_a_repeated_decision_publishes_the_same_traceparent(traceparent: str) -> None:
    event = an_event(a_cancel(), event_id="event-1", traceparent=traceparent)
    published = []
    for spans in (Spans(), Spans()):
        with spans.tracing.deciding(came(event)):
            published.append(publish(spans, "event-1.0", "auth.challenge", traceparent))
            published.append(publish(spans, "event-1.1", "auth.challenge", traceparent))
    assert published[:2] == published[2:]
    assert published[0] != published[1]
    assert all(is_traceparent(each) for each in published)


def test_a_request_can_join_the_trace_that_it_answers() -> None:
    spans = Spans()
    with spans.tracing.serving(a_request(), Served(status=200)):
        spans.tracing.join(OTHER)
        publish(spans, "event-1", "push.commands", current_traceparent())
    trace, span, parent = ids(spans.named("POST /sign-in"))
    assert (trace, parent) == (trace_id(OTHER), "b7ad6b7169203331")
    assert ids(spans.named("send push.commands"))[::2] == (trace, span)
    assert len(spans.names) == 2


def test_a_stream_that_lasts_as_long_as_somebody_waits_has_no_span() -> None:
    spans = Spans()
    with spans.tracing.serving(a_request(), Served(status=200, streamed=True)):
        pass
    assert spans.names == []


def test_a_span_tells_the_kind_of_an_error_and_nothing_that_it_says_and_no_query() -> None:
    spans = Spans()
    event = an_event(a_cancel(), traceparent=GIVEN)
    with pytest.raises(ValueError, match="swordfish"), spans.tracing.deciding(came(event)):
        raise ValueError("swordfish")  # noqa: EM101 - a text to look for
    with spans.tracing.serving(a_request(GIVEN), Served(status=500)):
        pass
    decision, request = spans.named("process login.commands"), spans.named("POST /sign-in")
    assert decision.attributes is not None
    assert decision.attributes["error.type"] == "ValueError"
    assert not decision.status.is_ok
    assert not request.status.is_ok
    told = decision.to_json() + request.to_json()
    assert [secret for secret in ("swordfish", "123456", event.data.key) if secret in told] == []


def test_traces_are_off_unless_an_endpoint_is_set() -> None:
    settings = ServiceSettings(port=8100)
    for environment in (
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:1", "OTEL_SDK_DISABLED": "true"},
    ):
        assert type(make_telemetry("login", settings, environment).tracing) is Tracing
    telemetry = make_telemetry("login", settings, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:1"})
    assert isinstance(telemetry.tracing, ExportedTracing)
    telemetry.tracing.close()


async def test_nothing_waits_for_a_receiver_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Far more spans than the queue holds are made while each try to export them fails."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    tracing = ExportedTracing.by_otlp("login", "here:1")
    for number in range(5000):
        with tracing.publishing(f"event-{number}", "login.commands", GIVEN) as sent:
            assert trace_id(sent) == trace_id(GIVEN)
    await asyncio.to_thread(tracing.close)
    # What is given up at a stop goes on for a moment, by the clock and with random numbers, beneath other tests.
    await eventually(lambda: not any(each.name.startswith("Otel") for each in threading.enumerate()), "it goes on")


def test_that_spans_are_not_taken_is_said_once_and_that_they_are_again() -> None:
    class Moody(InMemorySpanExporter):
        """An exporter that takes what it wants."""

        moods = iter([SpanExportResult.SUCCESS, SpanExportResult.FAILURE, None, None, *[SpanExportResult.SUCCESS] * 2])

        def export(self, _spans: Sequence[ReadableSpan]) -> SpanExportResult:
            mood = next(self.moods)
            if mood is None:
                raise ValueError
            return mood

    exporter = ReportingExporter(Moody())
    with capture_logs() as lines:
        for _ in range(6):
            exporter.export(())
    assert [line["event"] for line in lines] == ["spans are not taken, dropping them", "spans are taken again"]
