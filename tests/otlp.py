"""A receiver of spans, as OpenTelemetry's collector is one: OTLP over HTTP, in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.local.ports import free_port


@dataclass(frozen=True)
class Seen:
    """A span that came.

    Attributes:
        service: Which service it is of.
        name: Its name.
        trace: The trace's id, hexadecimal.
        id: Its own id.
        parent: Its parent's id, empty for a root.
        links: The ids of the traces that it is linked to.

    """

    service: str
    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]


@dataclass
class Receiver:
    """What takes spans.

    Attributes:
        url: Where.
        spans: Those that came.
        content: All bytes that came.

    """

    url: str
    spans: list[Seen] = field(default_factory=list)
    content: bytes = b""

    @property
    def settings(self) -> dict[str, str]:
        """The environment of whoever shall send spans here, soon."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}

    async def take(self, request: web.Request) -> web.Response:
        """Take a batch."""
        body = await request.read()
        self.content += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    Seen(
                        names["service.name"],
                        each.name,
                        each.trace_id.hex(),
                        each.span_id.hex(),
                        each.parent_span_id.hex(),
                        tuple(link.trace_id.hex() for link in each.links),
                    )
                    for each in scope.spans
                ]
        return web.Response(content_type="application/x-protobuf")


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Give a running receiver."""
    port = free_port()
    receiver = Receiver(f"http://127.0.0.1:{port}")
    loop = asyncio.new_event_loop()
    started = threading.Event()
    thread = threading.Thread(target=_serve, args=(receiver, port, loop, started))
    thread.start()
    started.wait()
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _serve(receiver: Receiver, port: int, loop: asyncio.AbstractEventLoop, started: threading.Event) -> None:
    application = web.Application(client_max_size=2**26)
    application.router.add_post("/v1/traces", receiver.take)
    runner = web.AppRunner(application, access_log=None)
    try:
        loop.run_until_complete(runner.setup())
        loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", port).start())
        started.set()
        loop.run_forever()
    finally:
        started.set()
        loop.run_until_complete(runner.cleanup())
        loop.close()
