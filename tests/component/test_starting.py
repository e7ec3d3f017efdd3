"""A service's process: its start reports progress, its port must be free, and it ends despite tasks left behind."""

import io
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from rich.console import Console

from deploy.local.instance_process import InstanceProcess, ServiceStartError
from deploy.local.ports import free_port
from deploy.local.run import show_step
from tests.polling import DEADLINE_SECONDS

LEFT_BEHIND: Final = """
import asyncio, sys
from services.common.instance import runtime
from services.common.keys.key_files import KeyFileError

async def go_on():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

tasks = []

def make():
    tasks.append(asyncio.get_running_loop().create_task(go_on()))
    asyncio.get_running_loop().call_soon(print, "runs")
    raise KeyFileError("it cannot start")

runtime.END_SECONDS = 0.2
sys.exit(runtime.run(make))
"""


@contextmanager
def a_service_with_reasons(reasons: Sequence[str], tmp_path: Path) -> Iterator[InstanceProcess]:
    """Run a service whose /ready returns these reasons one after the other, then the last one again."""
    remaining = iter([*reasons])

    class Handler(BaseHTTPRequestHandler):
        last = reasons[-1]

        def do_GET(self) -> None:
            reason = next(remaining, "" if self.last == "ready" else self.last)
            ready = reason in {"", "ready"}
            body = json.dumps({"status": "ready"} if ready else {"status": "not ready", "reasons": [reason]}).encode()
            self.send_response(200 if ready else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield InstanceProcess("login", "login", server.server_address[1], 0, tmp_path / "login.log", {})
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_each_change_of_the_reason_is_reported(tmp_path: Path) -> None:
    reasons = [
        "read views are catching up: 0 %",
        "read views are catching up: 0 %",
        "read views are catching up: 43 %",
        "ready",
    ]
    reported: list[str] = []
    with a_service_with_reasons(reasons, tmp_path) as service:
        service.await_ready(60, reported.append)
    assert reported == ["read views are catching up: 0 %", "read views are catching up: 43 %"]


def test_a_service_without_progress_times_out_with_its_reason(tmp_path: Path) -> None:
    with (
        a_service_with_reasons(["read views are catching up: 12 %"], tmp_path) as service,
        pytest.raises(ServiceStartError, match="was not ready after 0 s: read views are catching up: 12 %"),
    ):
        service.await_ready(0.1)


def test_a_step_shows_its_progress_and_then_its_duration() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with show_step(console, "Service login") as on_progress:
        on_progress("read views are catching up: 43 % [of all]")
        console.print("meanwhile")  # printing redraws the line above
    shown = screen.getvalue()
    assert "Service login  read views are catching up: 43 % [of all]" in shown
    assert "s\n" in shown.splitlines(keepends=True)[-1]


@pytest.mark.parametrize("option", ["--port", "--metrics-port"])
def test_a_taken_port_is_one_line(option: str, tmp_path: Path) -> None:
    ports = {"--port": free_port(), "--metrics-port": free_port()}
    words = [f"{name}={port}" for name, port in ports.items()]
    places = [f"--data-directory={tmp_path / 'data'}", f"--secrets-directory={tmp_path / 'secrets'}"]
    with socket.create_server(("127.0.0.1", ports[option])):
        command = [sys.executable, "-m", "services.push", *words, *places, "--log-level=ERROR"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stderr) == (1, "")
    (line,) = ended.stdout.splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["port"]) == ("cannot listen", ports[option])
    assert "in use" in entry["error"]


def test_a_task_that_ignores_cancellation_does_not_block_the_exit() -> None:
    command = [sys.executable, "-c", LEFT_BEHIND]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert ended.returncode == 2
    assert "ended while something still ran" in ended.stdout + ended.stderr
