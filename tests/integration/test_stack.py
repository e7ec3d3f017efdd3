"""The whole stack starts, survives crashes, and leaves no process behind."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.ports import free_port
from deploy.local.run import HIGHEST_KAFKA_PORT
from deploy.local.stack import METRICS_OFFSET, SERVICES, Stack, StackOptions
from tests.broker import PARTITIONS
from tests.builders import present
from tests.polling import DEADLINE_SECONDS

SERVICE_PORTS = tuple(f"--{service}-port" for service in SERVICES)


def test_services_come_back_after_a_crash_and_take_a_second_beside_them(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    """Each service restarts at the same address after SIGKILL; a second instance has its own; all end at the stop."""
    options = StackOptions(tmp_path, kafka_bootstrap=kafka, topic_prefix=topic_prefix, partitions=PARTITIONS)
    with Stack(options) as stack:
        for service in SERVICES:
            stack.kill_service(service)
        assert not any(instance.is_ready() for instance in stack.instances.values())
        for service in SERVICES:
            stack.restart_service(service)
        second = stack.start_second_instance("login")

        assert len(set(stack.urls.values())) == len(SERVICES) + 1
        assert second in stack.instances.values()
        # The second one takes partitions over from the first, which is not ready again until both have theirs.
        for instance in stack.instances.values():
            instance.await_ready(DEADLINE_SECONDS)

    assert {name: instance.exit_code for name, instance in stack.instances.items()} == dict.fromkeys(stack.urls, 0)


def test_run_makes_a_demo_account_once_and_stops_at_ctrl_c(tmp_path: Path) -> None:
    """The second run continues with the same data, so it prints the same password."""
    passwords = []
    for _ in range(2):
        with running(tmp_path) as (process, screen):
            passwords.append(shown(screen, "Password"))
            assert shown(screen, "Sign in as") == "demo"
            assert shown(screen, "Account Manager").startswith("http://localhost:")
            process.send_signal(signal.SIGINT)
        assert process.returncode == 0

    assert passwords[0] == passwords[1]
    assert (tmp_path / "secrets" / "demo-password").stat().st_mode & 0o077 == 0
    folders = ("data", "kafka", "logs", "secrets")
    assert [name for name in folders if (tmp_path / name).stat().st_mode & 0o077] == []


@pytest.mark.parametrize(
    ("option", "above"),
    [("--login-port", 0), ("--login-port", METRICS_OFFSET), ("--kafka-port", 0)],
    ids=["login", "metrics of login", "kafka"],
)
def test_a_taken_port_is_one_line_and_starts_nothing(tmp_path: Path, option: str, above: int) -> None:
    """The output names the port, and no part of the stack keeps running."""
    ports = free_ports()
    taken = ports[option] + above
    with socket.create_server(("127.0.0.1", taken)):
        done = subprocess.run(run_command(tmp_path, ports), capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(f"Port {taken} is already in use, and ")
    assert done.stdout.count("\n") == 1
    assert not (tmp_path / "kafka").exists()


def free_ports() -> dict[str, int]:
    """Return a free port for each option; above Kafka's there must be room for its controller's."""
    drawn = (free_port() for _ in range(100))
    return {
        **{name: free_port() for name in SERVICE_PORTS},
        "--kafka-port": next(port for port in drawn if port <= HIGHEST_KAFKA_PORT),
    }


def run_command(data: Path, ports: dict[str, int]) -> list[str]:
    """Return the command of `make run` on these ports."""
    words = [f"{name}={port}" for name, port in ports.items()]
    return [sys.executable, "-u", "-m", "deploy.local.run", "--data", str(data), *words]


@contextmanager
def running(data: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start the stack like `make run`, yield its process and screen, and wait until it has ended."""
    command = run_command(data, free_ports())
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines = []
        for line in present(process.stdout):
            lines.append(line)
            if line.startswith("Stop it with"):
                break
        try:
            yield process, "".join(lines)
            process.communicate(timeout=60)
        finally:
            process.terminate()


def shown(screen: str, label: str) -> str:
    """Return the value after a label on the screen."""
    found = [line.split(label)[1].split()[0] for line in screen.splitlines() if line.strip().startswith(label)]
    assert found, screen
    return found[0]
