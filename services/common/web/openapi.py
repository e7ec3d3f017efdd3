"""How the services describe their HTTP: OpenAPI 3.1 documents (OpenAPI Initiative), one served by each service.

They stand beside the routes, as plain Python, because what they say follows from the same constants and models. Tests
hold them to the router, and what the services answer to them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from aiohttp import web
from aiohttp.web_fileresponse import CONTENT_TYPES
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import models_json_schema

Json = dict[str, Any]
DOCUMENT: Final = "/openapi.json"
_REFERENCE: Final = "#/components/schemas/{model}"
_VERSION: Final = "1"
TEXT: Final[Json] = {"type": "string"}
BYTES: Final = "application/octet-stream"


class Shape(BaseModel):
    """The JSON of an answer or a request, with all the members that it has."""

    model_config = ConfigDict(extra="forbid")


class Problem(Shape):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    verdict: str | None = None


class KeySet(Shape):
    """A JWK set (RFC 7517 section 5)."""

    keys: list[dict[str, str]]


class Live(Shape):
    """That a process serves, and its time."""

    status: Literal["live"]
    time: datetime


class Ready(Shape):
    """That an instance can do its work."""

    status: Literal["ready"]


class NotReady(Shape):
    """What keeps an instance from its work."""

    status: Literal["not ready"]
    reasons: list[str]


def header(description: str, *, required: bool = True, **schema: Any) -> Json:
    """Return the description of an answer's header; text unless a schema says otherwise."""
    return {"description": description, "required": required, "schema": schema or TEXT}


RETRY_AFTER: Final = {"Retry-After": header("Seconds to wait before the next try.", type="integer", minimum=0)}
LOCATION: Final = {"Location": header("The address to go to.", type="string", format="uri-reference")}


def reference(kind: type[BaseModel]) -> Json:
    """Return a reference to a model among the document's schemas."""
    return {"$ref": _REFERENCE.format(model=kind.__name__)}


def answer(
    description: str, content: Mapping[str, Json] | None = None, headers: Mapping[str, Json] | None = None
) -> Json:
    """Return the description of an answer.

    Args:
        description: When it is given.
        content: The schema of its body by media type; None if it has no body.
        headers: Its headers by name.

    """
    said: Json = {"description": description}
    if content:
        said["content"] = {media_type: {"schema": schema} for media_type, schema in content.items()}
    if headers:
        said["headers"] = dict(headers)
    return said


def json_answer(description: str, kind: type[BaseModel], headers: Mapping[str, Json] | None = None) -> Json:
    """Return the description of an answer in JSON."""
    return answer(description, {"application/json": reference(kind)}, headers)


def key_set_path(signs: str) -> Json:
    """Return the path item of a service's key set.

    Args:
        signs: What the keys sign, for people.

    """
    said = answer(f"The public keys of {signs}.", {"application/jwk-set+json": reference(KeySet)})
    return {"get": {"summary": "The service's public keys", "responses": {"200": said}}}


def parameter(name: str, where: Literal["path", "query"], description: str, **schema: Any) -> Json:
    """Return the description of a parameter; text unless a schema says otherwise. Those of a path are required."""
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": schema or TEXT,
    }


def file_paths(prefix: str, directory: Path, not_found: Json) -> dict[str, Json]:
    """Return a path item for each folder of static files.

    Args:
        prefix: What stands before the files' names in addresses, with a slash at its end.
        directory: The folder on disk.
        not_found: The answer at an address where nothing can be; where just no file is, it has no body.

    """
    folders = {directory, *(each for each in directory.rglob("*") if each.is_dir() and any(each.iterdir()))}
    found = {}
    for folder in sorted(folders):
        below = "".join(f"{part}/" for part in folder.relative_to(directory).parts)
        names = sorted(each.name for each in folder.iterdir() if each.is_file())
        found[f"{prefix}{below}{{filename}}"] = _files(names, not_found)
    return found


def _files(names: Sequence[str], not_found: Json) -> Json:
    types = {CONTENT_TYPES.guess_type(name)[0] or BYTES for name in names}
    content: dict[str, Json] = {each: {} for each in sorted(types)}
    return {
        "parameters": [parameter("filename", "path", "The file's name.", type="string", enum=list(names))],
        "get": {
            "summary": "A file of the pages",
            "responses": {
                "200": answer("The file.", content),
                "206": answer("The part of the file that Range asks for.", content),
                "304": answer("It has not changed since the browser got it."),
                "404": {**not_found, "content": {**not_found["content"], BYTES: {}}},
                "416": answer("The file has no such part."),
            },
        },
    }


def make_document(
    title: str, description: str, url: str, paths: Mapping[str, Json], kinds: Iterable[type[BaseModel]] = ()
) -> Json:
    """Return a service's document.

    Args:
        title: What the service is called.
        description: What it does, and what holds for all of it.
        url: Where it is reached.
        paths: Its path items, but for those that all services have.
        kinds: The models that they refer to, but for those of all services.

    """
    models = [(kind, "validation") for kind in (*kinds, Problem, KeySet, Live, Ready, NotReady)]
    _, definitions = models_json_schema(models, ref_template=_REFERENCE)  # type: ignore[arg-type]
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": _VERSION, "description": description},
        "servers": [{"url": url}],
        "paths": {**paths, **_COMMON_PATHS},
        "components": {"schemas": definitions["$defs"]},
    }


def serve_document(application: web.Application, document: Json) -> None:
    """Serve a document at /openapi.json; before static files, if those are at the root."""

    async def handler(_request: web.Request) -> web.Response:
        return web.json_response(document)

    application.router.add_get(DOCUMENT, handler)


_COMMON_PATHS: Final[dict[str, Json]] = {
    "/live": {
        "get": {
            "summary": "Whether the process serves",
            "responses": {"200": json_answer("It does.", Live)},
        }
    },
    "/ready": {
        "get": {
            "summary": "Whether the instance can do its work",
            "responses": {
                "200": json_answer("It can.", Ready),
                "503": json_answer("Not just now.", NotReady, RETRY_AFTER),
            },
        }
    },
    DOCUMENT: {
        "get": {
            "summary": "This document",
            "responses": {"200": answer("The document.", {"application/json": {"type": "object"}})},
        }
    },
}
