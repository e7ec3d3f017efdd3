"""Who waits for a service sees how far it is, and waits for as long as it comes nearer."""

import io
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deploy.local.instance_process import InstanceProcess, ServiceStartError
from deploy.local.run import show_step


@contextmanager
def a_service_that_says(said: Sequence[str], tmp_path: Path) -> Iterator[InstanceProcess]:
    """Play a service that says something else each time that it is asked, and is then ready, or goes on saying it."""
    answers = iter([*said])

    class Handler(BaseHTTPRequestHandler):
        last = said[-1]

        def do_GET(self) -> None:
            reason = next(answers, "" if self.last == "ready" else self.last)
            ready = reason in {"", "ready"}
            body = json.dumps({"status": "ready"} if ready else {"status": "not ready", "reasons": [reason]}).encode()
            self.send_response(200 if ready else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield InstanceProcess("login", "login", server.server_address[1], 0, tmp_path / "login.log", {})
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_keeps_it_is_told_whenever_it_changes(tmp_path: Path) -> None:
    said = ["tables recover: 0 %", "tables recover: 0 %", "tables recover: 43 %", "ready"]
    told: list[str] = []
    with a_service_that_says(said, tmp_path) as service:
        service.await_ready(60, told.append)
    assert told == ["tables recover: 0 %", "tables recover: 43 %"]


def test_a_service_that_stands_still_is_given_up_with_what_it_says(tmp_path: Path) -> None:
    with (
        a_service_that_says(["tables recover: 12 %"], tmp_path) as service,
        pytest.raises(ServiceStartError, match="was not ready after 0 s: tables recover: 12 %"),
    ):
        service.await_ready(0.1)


def test_a_step_shows_how_far_it_is_and_then_how_long_it_took() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with show_step(console, "Service login") as tell:
        tell("tables recover: 43 % [of all]")
        console.print("meanwhile")  # what is printed makes the line above it be drawn anew
    shown = screen.getvalue()
    assert "Service login  tables recover: 43 % [of all]" in shown
    assert "s\n" in shown.splitlines(keepends=True)[-1]
