"""The load balancer before the services: people and devices keep one address, whichever instances run."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy.local.child_process import Child, Daemon

STOP_SECONDS: Final = 5.0
# An instance that is not ready, or does not answer, gets no more requests. A request that no instance has taken yet
# goes to another one; one that was taken is never sent twice.
_SITE: Final = """
http://localhost:{port} {{
	bind 127.0.0.1
	reverse_proxy {upstreams} {{
		lb_policy least_conn
		lb_try_duration 10s
		lb_try_interval 100ms
		fail_duration 1s
		health_uri /ready
		health_interval 500ms
		health_timeout 1s
		transport http {{
			dial_timeout 1s
			response_header_timeout 15s
		}}
	}}
}}
"""
_OPTIONS: Final = """{
	admin off
	auto_https off
	log {
		level ERROR
	}
}
"""


class FrontMissingError(Exception):
    """Caddy is not installed."""

    def __init__(self) -> None:
        super().__init__("This needs the proxy Caddy 2: on Debian and Ubuntu, apt-get install caddy.")


class Front(Daemon):
    """Caddy before some services."""

    def __init__(self, directory: Path, sites: Mapping[int, Sequence[int]]) -> None:
        """Prepare it; nothing is started yet.

        Args:
            directory: Where its settings and its log are.
            sites: The ports of a service's instances, by the port where people find it.

        """
        super().__init__("front", directory / "front.log", STOP_SECONDS)
        self._directory = directory
        self._sites = sites

    def start(self) -> None:
        """Start it; its instances need not be there yet.

        Raises:
            FrontMissingError: If Caddy is not installed.

        """
        program = shutil.which("caddy")
        if program is None:
            raise FrontMissingError
        settings = self._directory / "Caddyfile"
        sites = (
            _SITE.format(port=port, upstreams=" ".join(f"127.0.0.1:{each}" for each in instances))
            for port, instances in self._sites.items()
        )
        settings.write_text(_OPTIONS + "".join(sites))
        command = [program, "run", "--adapter", "caddyfile", "--config", str(settings)]
        # What it would keep for itself, it keeps here.
        home = {"HOME": str(self._directory), "XDG_DATA_HOME": str(self._directory)}
        self._process = Child(command, self.log_path, home)
