"""A network of its own for each broker, so that one of them can be cut off.

Linux only. The whole run goes into namespaces of its own: what is set up here is invisible to the rest of the machine,
and is gone with the run's last process. In there, a bridge connects the brokers' namespaces with the services'.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from deploy.local.kafka.settings import Machine

_INSIDE: Final = "COUNTERSIGN_CHAOS_INSIDE"
_NETWORK: Final = "10.213.0"
_TIMEOUT_SECONDS: Final = 20


class NetworkError(Exception):
    """The machine cannot give this run a network of its own. The text names what is needed."""


def enter(arguments: Sequence[str]) -> None:
    """Start this program again in namespaces of its own; returns once it runs there.

    Args:
        arguments: The program's arguments.

    Raises:
        NetworkError: If the machine does not allow it.

    """
    if os.environ.get(_INSIDE):
        _run("ip", "link", "set", "lo", "up")
        # Names of namespaces are kept in files: in a folder of this run's own.
        _run("mount", "-t", "tmpfs", "tmpfs", "/run")
        return
    become_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *become_root, "--net", "--mount", "--propagation", "private", "--"]
    try:
        _run(*command, "true")
    except (OSError, NetworkError) as error:
        text = f"This needs Linux with network namespaces (unshare), as root or with user namespaces: {error}"
        raise NetworkError(text) from error
    os.environ[_INSIDE] = "yes"
    os.execvp(command[0], [*command, sys.executable, "-m", "lab.chaos", *arguments])  # noqa: S606 - no shell is wanted


class Network:
    """A switch with a port for each broker.

    Attributes:
        machines: The brokers' machines, in order.

    """

    def __init__(self, brokers: int) -> None:
        """Build it.

        Args:
            brokers: How many machines it connects.

        """
        _run("ip", "link", "add", "switch", "type", "bridge")
        _run("ip", "address", "add", f"{_NETWORK}.1/24", "dev", "switch")
        _run("ip", "link", "set", "switch", "up")
        self.machines = [_connect(number) for number in range(1, brokers + 1)]

    def cut(self, number: int) -> None:
        """Pull a broker's cable: what was on its way is lost without a word.

        Args:
            number: The broker's, from 1.

        """
        _run("ip", "link", "set", _port(number), "down")

    def mend(self, number: int) -> None:
        """Plug it in again."""
        _run("ip", "link", "set", _port(number), "up")


def _port(number: int) -> str:
    return f"port-{number}"


def _connect(number: int) -> Machine:
    name, address = f"broker-{number}", f"{_NETWORK}.{10 + number}"
    _run("ip", "netns", "add", name)
    _run("ip", "link", "add", _port(number), "type", "veth", "peer", "name", "eth0", "netns", name)
    _run("ip", "link", "set", _port(number), "master", "switch", "up")
    _run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "eth0")
    for device in ("lo", "eth0"):
        _run("ip", "-n", name, "link", "set", device, "up")
    return Machine(address, ("ip", "netns", "exec", name))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
    if done.returncode:
        text = f"{' '.join(command)}: {done.stderr.strip()}"
        raise NetworkError(text)
