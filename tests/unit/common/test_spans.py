"""Spans: each is the child of what led to it, a repeated decision publishes the same, and nothing waits for export."""

import asyncio
import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracer, SpanKind, Tracer
from structlog.testing import capture_logs

from deploy.local.ports import free_port
from schemas.base import Message
from schemas.codec import Event, Record, encode
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.dead_letters import DeadLetterWriter
from services.common.kafka.membership import SourceRecord
from services.common.kafka.publisher import Producer, Publisher
from services.common.settings import ServiceSettings
from services.common.streams.record_guard import RecordGuard
from services.common.telemetry.span_export import ReportingExporter, make_provider
from services.common.telemetry.telemetry import Telemetry, make_telemetry
from services.common.telemetry.tracing import NO_SPANS, current_trace_id, join_trace, messaging_span
from services.common.web.watching import Handler, watch_requests
from tests.builders import an_event
from tests.events import an_issued_challenge
from tests.messages import a_cancel
from tests.polling import eventually

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
LOGIN, PARENT = GIVEN.split("-")[1:3]


class Sent(Publisher):
    """A publisher that records its messages."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__(KafkaConnection("kafka.invalid:9092"), "", "login", tracer)
        self.records: list[Record] = []

    async def _send(self, _producer: Producer | None, record: Record) -> asyncio.Future[object]:
        self.records.append(record)
        acknowledged: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        acknowledged.set_result(None)
        return acknowledged


class Instance:
    """The parts of an instance that make spans."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._exporter = InMemorySpanExporter()
        provider = make_provider("login", "here:1", SimpleSpanProcessor(self._exporter))
        self.telemetry = Telemetry(tracer=tracer or provider.get_tracer("test"))
        self.publisher = Sent(self.telemetry.tracer)
        dead_letters = DeadLetterWriter(self.publisher, "", "login")
        self._guard = RecordGuard(dead_letters, "", "login", (), self.telemetry)

    def named(self, name: str) -> ReadableSpan:
        """Return the only finished span with a name."""
        (found,) = (span for span in self._exporter.get_finished_spans() if span.name == name)
        return found

    @property
    def names(self) -> list[str]:
        """The names of the finished spans, in order."""
        return [span.name for span in self._exporter.get_finished_spans()]

    async def serve(self, handler: Handler, traceparent: str = "") -> None:
        """Serve a request."""
        headers = {"traceparent": traceparent} if traceparent else {}
        request = make_mocked_request("POST", "/sign-in?code=123456", headers)
        route = web.UrlDispatcher().add_post("/sign-in", handler)
        request._match_info = web.UrlMappingMatchInfo({}, route)  # noqa: SLF001 -- as the router leaves it
        await watch_requests(self.telemetry)(request, handler)

    async def decide(self, record: Record, *outputs: Message) -> list[Record]:
        """Decide a record, and return what is published then."""
        at = {"topic": record.topic, "partition": 3, "offset": 41, "timestamp": 10**13}
        content = {"key": record.key, "value": record.value, "headers": record.headers}
        came = cast("SourceRecord", SimpleNamespace(**at, **content))
        before = len(self.publisher.records)
        async with self._guard.protect(came):
            with self._guard.decoded(came) as event:
                await self.publisher.publish_outputs(event, "login/accounts", outputs)
        return self.publisher.records[before:]

    async def cancel(self, _request: web.Request) -> web.Response:
        """Serve a request by a command."""
        await self.publisher.publish_command(a_cancel())
        return web.Response()


def ids(span: ReadableSpan) -> tuple[str, str, str | None]:
    """Return a span's trace id, its own id and its parent's."""
    context = span.context
    parent = None if span.parent is None else f"{span.parent.span_id:016x}"
    return f"{context.trace_id:032x}", f"{context.span_id:016x}", parent


def traceparent_of(record: Record) -> str:
    """Return the traceparent that a record carries, or an empty string."""
    return dict(record.headers).get("traceparent", b"").decode()


async def test_a_decision_is_the_child_of_the_command_that_led_to_it_and_so_is_each_further_one() -> None:
    instance = Instance()
    await instance.serve(instance.cancel, GIVEN)
    (command,) = instance.publisher.records
    (challenge,) = await instance.decide(command, an_issued_challenge())
    await instance.decide(challenge)
    request, sent = ids(instance.named("POST /sign-in")), ids(instance.named("send login.commands"))
    decision, led_to = ids(instance.named("process login.commands")), ids(instance.named("send auth.challenge"))
    further = ids(instance.named("process auth.challenge"))
    assert {each[0] for each in (request, sent, decision, led_to, further)} == {LOGIN}
    parents = [each[2] for each in (request, sent, decision, led_to, further)]
    assert parents == [PARENT, request[1], sent[1], decision[1], sent[1]]
    assert traceparent_of(command) == traceparent_of(challenge) == f"00-{LOGIN}-{sent[1]}-01"


async def test_without_spans_each_record_carries_what_came_in_and_what_comes_in_without_a_trace_begins_one() -> None:
    instance = Instance(NO_SPANS)
    await instance.serve(instance.cancel, GIVEN)
    await instance.serve(instance.cancel)
    given, begun = map(traceparent_of, instance.publisher.records)
    assert given == GIVEN
    assert len(begun) == len(GIVEN)
    assert begun[:35] != GIVEN[:35]
    (challenge,) = await instance.decide(instance.publisher.records[1], an_issued_challenge())
    assert (challenge.topic, traceparent_of(challenge)) == ("auth.challenge", begun)


@pytest.mark.parametrize("traceparent", [GIVEN, ""], ids=["in a trace", "in none"])
async def test_a_repeated_decision_publishes_the_same_bytes(traceparent: str) -> None:
    event = an_event(a_cancel(), event_id="event-1", traceparent=traceparent)
    outputs = (an_issued_challenge(), an_issued_challenge())
    published = [await instance.decide(encode(event), *outputs) for instance in (Instance(), Instance())]
    assert published[0] == published[1]
    assert [traceparent_of(each) for each in published[0]] == [traceparent] * 2


async def test_a_request_is_linked_to_the_trace_that_it_answers_and_goes_on_in_that_one() -> None:
    instance = Instance()

    async def answer(request: web.Request) -> web.Response:
        join_trace(OTHER)
        return await instance.cancel(request)

    with capture_logs(processors=[_add_trace_id]) as lines:
        await instance.serve(answer, GIVEN)
    request, sent = instance.named("POST /sign-in"), instance.named("send login.commands")
    assert ids(request)[0] == LOGIN
    assert [f"{each.context.trace_id:032x}" for each in request.links] == [OTHER.split("-")[1]]
    assert ids(sent)[::2] == tuple(OTHER.split("-")[1:3])
    assert traceparent_of(instance.publisher.records[0]).split("-")[1] == OTHER.split("-")[1]
    assert [line["trace_id"] for line in lines if line["event"] == "request"] == [OTHER.split("-")[1]]
    assert current_trace_id() == ""


async def test_a_record_that_cannot_be_used_is_logged_with_its_trace() -> None:
    record = encode(an_event(a_cancel(), traceparent=GIVEN))
    with capture_logs(processors=[_add_trace_id]) as lines:
        await Instance().decide(Record(record.topic, record.key, b"nonsense", record.headers))
    assert [(line["event"], line["trace_id"]) for line in lines] == [("dead letter", LOGIN)]


@pytest.mark.parametrize("response", [web.WebSocketResponse, lambda: web.Response(content_type="text/event-stream")])
async def test_a_stream_that_lasts_as_long_as_a_browser_waits_has_no_span(response: Any) -> None:
    instance = Instance()

    async def stream(_request: web.Request) -> web.StreamResponse:
        return cast("web.StreamResponse", response())

    await instance.serve(stream)
    assert instance.names == []


async def test_a_span_has_the_kind_of_an_error_and_none_of_its_text_and_no_query() -> None:
    instance, other = Instance(), Instance()
    event: Event[Message] = an_event(a_cancel(), traceparent=GIVEN)
    with (
        pytest.raises(ValueError, match="swordfish"),
        messaging_span(instance.telemetry.tracer, SpanKind.CONSUMER, event.data.topic.name, event.id),
    ):
        raise ValueError("swordfish")  # noqa: EM101 - a text to look for

    async def fail(_request: web.Request) -> web.Response:
        return web.Response(status=500, text="swordfish")

    async def redirect(_request: web.Request) -> web.Response:
        raise web.HTTPSeeOther("/swordfish")  # noqa: EM101 - a place, not a text

    await instance.serve(fail)
    with pytest.raises(web.HTTPSeeOther):
        await other.serve(redirect)
    decision, request = instance.named("process login.commands"), instance.named("POST /sign-in")
    assert decision.attributes is not None
    assert request.attributes is not None
    assert (decision.attributes["error.type"], request.attributes["error.type"]) == ("ValueError", "500")
    assert not decision.status.is_ok
    assert not request.status.is_ok
    assert other.named("POST /sign-in").status.is_ok
    exported = "".join(each.to_json() for each in (decision, request, other.named("POST /sign-in")))
    assert [secret for secret in ("swordfish", "123456", event.data.key) if secret in exported] == []


def test_spans_are_off_unless_an_endpoint_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ServiceSettings(port=8100)
    for name, value, is_off in (
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "", True),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost:1", False),
        ("OTEL_SDK_DISABLED", "true", True),
    ):
        monkeypatch.setenv(name, value)
        telemetry = make_telemetry("login", settings)
        assert isinstance(telemetry.tracer, NoOpTracer) is is_off
        telemetry.close()


async def test_nothing_waits_for_a_receiver_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Far more spans than the queue holds are made while each try to export them fails."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    telemetry = make_telemetry("login", ServiceSettings(port=8100))
    for number in range(5000):
        with messaging_span(telemetry.tracer, SpanKind.PRODUCER, "login.commands", f"event-{number}"):
            assert current_trace_id()
    await asyncio.to_thread(telemetry.close)
    # What is given up at a stop goes on for a moment, by the clock and with random numbers, beneath other tests.
    await eventually(lambda: not any(each.name.startswith("Otel") for each in threading.enumerate()), "it goes on")


def test_an_outage_of_the_receiver_is_logged_once_and_its_end_too() -> None:
    class Moody(InMemorySpanExporter):
        """An exporter that fails at times."""

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
    assert [line["event"] for line in lines] == ["spans are not exported, dropping them", "spans are exported again"]


def _add_trace_id(_logger: object, _method: str, line: Any) -> Any:
    line["trace_id"] = current_trace_id()
    return line
