"""An instance logs one line and ends if its port or its metrics port is in use."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.ports import free_port


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
