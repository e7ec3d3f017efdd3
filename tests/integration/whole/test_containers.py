"""The containers of docker-compose.yml: built, started, multiplied behind the proxy, and used by a person.

Where no Docker engine answers, these are skipped.
"""

import os
import re
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from deploy.local.ports import free_port
from lab.testkit.person import Person
from tests.broker import engine_answers
from tests.builders import present
from tests.network_lock import network_lock
from tests.polling import DEADLINE_SECONDS

ROOT: Final = Path(__file__).parents[3]
SINGLE: Final = ("docker-compose.yml",)
CLUSTER: Final = ("docker-compose.yml", "docker-compose.cluster.yml")
SECURE: Final = ("docker-compose.yml", "docker-compose.secure.yml")
SERVICES: Final = ("login", "pairing", "push")
POLL_SECONDS: Final = 0.5
pytestmark = pytest.mark.skipif(not engine_answers(), reason="no Docker engine answers")


class Containers:
    """One project of containers, on ports of its own."""

    def __init__(self, files: tuple[str, ...]) -> None:
        self.urls = {service: f"http://localhost:{free_port()}" for service in SERVICES}
        self._words = ["docker", "compose", "-p", f"test{uuid.uuid4().hex[:8]}"]
        for file in files:
            self._words += ["-f", file]
        self._words += ["--profile", "demo"]
        self._environment = {f"{service.upper()}_PUBLIC_URL": url for service, url in self.urls.items()}
        self._environment |= {f"{service.upper()}_PORT": url.rpartition(":")[2] for service, url in self.urls.items()}

    def run(self, *words: str) -> str:
        """Run a command of docker compose."""
        done = subprocess.run(
            [*self._words, *words],
            cwd=ROOT,
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module", params=[SINGLE, CLUSTER, SECURE], ids=["one broker", "three brokers", "secure"])
def containers(request: pytest.FixtureRequest) -> Iterator[Containers]:
    """Give running containers, two each of what people meet."""
    made = Containers(request.param)
    try:
        with network_lock(exclusive=True):
            made.run("up", "-d", "--build", "--scale", "login=2", "--scale", "push=2")
        await_exit(made, "demo")
        yield made
    finally:
        with network_lock(exclusive=True):
            made.run("down", "-v", "-t", "30")


def await_exit(containers: Containers, job: str) -> None:
    """Wait until a job has done its work."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while "Exit 0" not in containers.run("ps", job):
        assert time.monotonic() < deadline, containers.run("logs", job)
        time.sleep(POLL_SECONDS)


async def test_a_person_pairs_a_phone_and_signs_in_through_the_proxy(containers: Containers) -> None:
    account = present(re.search(r"Sign in as (\S+) with the password (\S+)", containers.run("logs", "demo")))
    async with Person.at(containers.urls["login"], containers.urls["push"], account[1], account[2]) as person:
        await person.first_sign_in()
        await person.sign_out()
        await person.sign_in()


def test_the_containers_can_write_nothing_but_their_data(containers: Containers) -> None:
    for service in SERVICES:
        user = containers.run("exec", "-T", service, "id", "-u")
        assert user.strip() != "0"
        tried = containers.run("exec", "-T", service, "sh", "-c", "touch /opt/x /etc/x 2>&1; echo; ls /opt /etc")
        assert "Read-only file system" in tried


def test_each_service_has_its_own_keys_alone(containers: Containers) -> None:
    names = {service: containers.run("exec", "-T", service, "ls", "/secrets").split() for service in SERVICES}
    for service, others in (("login", "pairing"), ("pairing", "login"), ("push", "login")):
        assert names[service]
        assert not set(names[service]) & set(names[others])
    assert containers.run("exec", "-T", "pairing", "ls", "/shared").split() == ["phrase.key"]
