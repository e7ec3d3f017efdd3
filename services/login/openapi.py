"""The login service's HTTP, as its OpenAPI document says it: pages and forms for browsers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from services.common.web.openapi import (
    LOCATION,
    RETRY_AFTER,
    TEXT,
    Json,
    answer,
    file_paths,
    key_set_path,
    make_document,
    parameter,
)
from services.login.web import login_pages

_HTML: Final[dict[str, Json]] = {"text/html": TEXT}
_WAITS: Final = answer("Too many tries, or too many at once; the page says when the next is taken.", _HTML, RETRY_AFTER)
_WRONG: Final = answer("Not taken; the page says why.", _HTML)
_REFUSED: Final = answer("The account does not change; the page says why.", _HTML)
_UNAVAILABLE: Final = answer("Kafka is away, or the service restarts; the page says so.", _HTML, RETRY_AFTER)
_LEAD: Final = answer("Elsewhere: where this browser's login or session is.", headers=LOCATION)
_FIELD_SCHEMAS: Final[dict[str, Json]] = {
    "csrf": {"type": "string", "description": "The token in each form of a page that this browser was given."},
    "password": {"type": "string", "format": "password"},
    "old": {"type": "string", "format": "password"},
    "new": {"type": "string", "format": "password"},
    "remember": {"type": "string", "description": "There if the browser shall be remembered."},
    "phone": {"type": "string", "description": "The id of the phone to ask; default the first."},
    "next": {"type": "string", "description": "Where to go then: password, or else the account."},
    "secret": {"type": "string", "description": "The app's secret, sealed, as the page holds it."},
}
_OPTIONAL: Final = frozenset({"remember", "phone", "next"})
_DESCRIPTION: Final = (
    "Pages and forms for browsers, which the cookies tell apart: countersign_browser (any browser), countersign_login "
    "(one in which a login waits) and countersign_session (one that is signed in). A form counts only with the csrf "
    "token of a page that the same browser was given. Who asks for a page that is not theirs now is led to the one "
    "that is. "
    "Errors are pages as well."
)


def describe(url: str, static: Path) -> Json:
    """Return the document.

    Args:
        url: Where the service is reached.
        static: The folder of the pages' files.

    """
    paths = {
        "/": {"get": {"summary": "Where this browser is", "responses": {"303": _LEAD, "503": _UNAVAILABLE}}},
        "/events": _EVENTS,
        "/.well-known/jwks.json": key_set_path("what signs login challenges"),
        **file_paths("/static/", static, answer("No file has this name.", _HTML)),
        login_pages.COMPLETE: _COMPLETE,
    }
    for path, summary in _PAGES.items():
        paths.setdefault(path, {})["get"] = _page(summary)
    for path, (summary, fields, answers) in _FORMS.items():
        paths.setdefault(path, {})["post"] = _form(summary, fields, answers)
    return make_document("Countersign login", _DESCRIPTION, url, paths)


def _page(summary: str) -> Json:
    responses = {"200": answer("The page.", _HTML), "303": _LEAD, "503": _UNAVAILABLE}
    return {"summary": summary, "responses": responses}


def _form(summary: str, fields: str, answers: Mapping[str, Json]) -> Json:
    names = ["csrf", *fields.split()]
    schema = {
        "type": "object",
        "properties": {name: _FIELD_SCHEMAS.get(name, TEXT) for name in names},
        "required": [name for name in names if name not in _OPTIONAL],
    }
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}},
        "responses": {
            "303": answer("Taken; on to the page that follows.", headers=LOCATION),
            "403": answer("It did not come from a page that this browser was given.", _HTML),
            "413": answer("It is too large.", _HTML),
            "503": _UNAVAILABLE,
            **answers,
        },
    }


_PAGES: Final = {
    login_pages.SIGN_IN: "Name and password",
    login_pages.ENROL: "What the first pairing needs beside the password",
    login_pages.CONNECT: "That a phone is needed",
    login_pages.PAIR: "A field for the phone's phrase",
    login_pages.PAIR_WAIT: "Waits for the phone to accept the pairing",
    login_pages.PAIR_DONE: "That the phone is paired",
    login_pages.SEND: "Asks the phone",
    login_pages.WAIT: "Waits for the phone's answer",
    login_pages.CODE: "A field for a code",
    login_pages.ENDED: "How a login ended",
    login_pages.ACCOUNT: "The account of who is signed in",
    login_pages.APP: "A new secret for an authenticator app",
    login_pages.PASSWORD: "Fields for another password",
}
_FORMS: Final[dict[str, tuple[str, str, dict[str, Json]]]] = {
    login_pages.SIGN_IN: (
        "Begins a login",
        "name password remember",
        {"401": answer("Name and password do not match.", _HTML), "429": _WAITS},
    ),
    f"{login_pages.ENROL}/send": ("Sends a code by e-mail", "", {"429": answer("Several were sent lately.", _HTML)}),
    login_pages.ENROL: ("Takes the code that admits to the first pairing", "code", {"422": _WRONG, "429": _WAITS}),
    login_pages.PAIR: ("Takes the phone's phrase", "phrase", {"422": _WRONG, "429": _WAITS}),
    "/challenge": ("Asks the phone", "phone", {}),
    login_pages.CODE: ("Takes a code", "code", {"422": _WRONG, "429": _WAITS}),
    "/cancel": ("Gives the login up", "", {}),
    "/sign-out": ("Ends the session", "", {}),
    f"{login_pages.ACCOUNT}/confirm": ("Asks for the second factor again, before changes", "next", {}),
    f"{login_pages.ACCOUNT}/phones": ("Begins to pair a further phone", "", {}),
    f"{login_pages.ACCOUNT}/methods/choose": ("Has another phone asked first", "method_id", {"409": _REFUSED}),
    f"{login_pages.ACCOUNT}/methods/rename": ("Renames a phone or an app", "method_id name", {"409": _REFUSED}),
    f"{login_pages.ACCOUNT}/methods/remove": ("Removes a phone or an app", "method_id", {"409": _REFUSED}),
    f"{login_pages.ACCOUNT}/sessions/revoke": ("Signs another browser out", "revoked_digest", {"409": _REFUSED}),
    f"{login_pages.ACCOUNT}/browsers/forget": ("Remembers a browser no more", "remembered_digest", {"409": _REFUSED}),
    login_pages.APP: ("Adds an authenticator app", "method_id secret code name", {"409": _REFUSED, "422": _WRONG}),
    login_pages.RECOVERY_CODES: (
        "Makes recovery codes and shows them once",
        "",
        {"200": answer("The codes.", _HTML), "409": _REFUSED},
    ),
    login_pages.PASSWORD: ("Changes the password", "old new", {"409": _REFUSED, "422": _WRONG, "429": _WAITS}),
}
_COMPLETE: Final[Json] = {
    "get": {
        "summary": "Turns an approved login into a session",
        "responses": {"303": _LEAD, "503": _UNAVAILABLE},
    }
}
_EVENT: Final[Json] = {
    "description": "Each event.",
    "type": "object",
    "properties": {
        "event": {"enum": ["go", "delivery"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "data"],
}
_EVENTS: Final[dict[str, Any]] = {
    "get": {
        "summary": "Tells a waiting page when to go on (server-sent events)",
        "description": (
            'Event go, data {"to": address}: go there. '
            'Event delivery, data {"delivery": state, "device_name": name}: how far the request to the phone came.'
        ),
        "parameters": [
            parameter("at", "query", "The page that is shown."),
            parameter("other", "query", "There if the page says that the phone is asked for another login."),
        ],
        "responses": {
            "200": answer("The events, until the page shall go on.", {"text/event-stream": _EVENT}),
            "503": _UNAVAILABLE,
        },
    }
}
