"""Each OpenAPI document is valid, and has exactly the routes of its service."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from aiohttp import hdrs, web
from aiohttp.test_utils import TestClient, TestServer

from services.common.instance.runtime import ServiceInstance
from services.login.app import make_instance as make_login
from services.login.settings import LoginSettings
from services.pairing.app import make_instance as make_pairing
from services.pairing.settings import PairingSettings
from services.push.app import make_instance as make_push
from services.push.settings import PushSettings
from tests.builders import present
from tests.integration.whole.test_conformance import LOGIN_FORMS

MAKERS: dict[str, Callable[[Path], ServiceInstance]] = {
    "login": lambda secrets: make_login(LoginSettings(secrets_directory=secrets)),
    "pairing": lambda secrets: make_pairing(PairingSettings(secrets_directory=secrets)),
    "push": lambda secrets: make_push(PushSettings(secrets_directory=secrets)),
}


@dataclass(frozen=True)
class Described:
    """A service's web application, wired as in a process of its own; and its document."""

    client: TestClient[web.Request, web.Application]
    document: dict[str, Any]

    @property
    def operations(self) -> set[tuple[str, str]]:
        """Each method and path in the document."""
        paths: dict[str, dict[str, Any]] = self.document["paths"]
        return {(method.upper(), path) for path, item in paths.items() for method in item if method != "parameters"}

    @property
    def routes(self) -> list[web.AbstractRoute]:
        """The router's routes, without the HEAD of each GET."""
        return [each for each in present(self.client.app).router.routes() if each.method != hdrs.METH_HEAD]


@pytest.fixture(params=sorted(MAKERS))
async def described(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Described]:
    """Provide each service in turn, without its Kafka side."""
    async with TestClient(TestServer(MAKERS[request.param](tmp_path).web)) as client:
        if request.param == "login":
            text = LOGIN_FORMS.read_text(encoding="utf-8")
        else:
            async with client.get("/openapi.yaml") as answer:
                assert answer.content_type == "application/yaml"
                text = await answer.text()
        yield Described(client, yaml.safe_load(text))


def test_the_document_is_valid(described: Described) -> None:
    schemathesis.openapi.from_dict(described.document).validate()


def test_the_document_has_the_routes_of_the_router_and_no_other(described: Described) -> None:
    served = {(each.method, path_of(each)) for each in described.routes if not is_static(each)}
    assert {each for each in described.operations if "{filename}" not in each[1]} == served


async def test_each_static_file_is_served(described: Described) -> None:
    folders = [each.resource.get_info() for each in described.routes if is_static(each) and each.resource is not None]
    paths = [
        f"{folder['prefix']}/{each.relative_to(folder['directory']).as_posix()}"
        for folder in folders
        for each in folder["directory"].rglob("*")
        if each.is_file()
    ]
    assert bool(paths) is any("{filename}" in path for path in described.document["paths"])
    for path in paths:
        async with described.client.get(path) as answer:
            assert answer.status == 200, path


def path_of(route: web.AbstractRoute) -> str:
    """Return a route's path as documents write it."""
    return present(route.resource).canonical


def is_static(route: web.AbstractRoute) -> bool:
    """Return whether a route serves the files of a folder."""
    return isinstance(route.resource, web.StaticResource)
