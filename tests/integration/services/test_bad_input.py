"""What no honest browser or device sends gets an answer that says so; nothing of it is an error of the service."""

import http.client
import json
import re
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from deploy.local.instance_process import InstanceProcess
from services.login.web.cookies import BROWSER, LOGIN, SESSION
from services.login.web.read_your_writes import VERSION
from tests.builders import present
from tests.polling import DEADLINE_SECONDS

Start = Callable[[str], InstanceProcess]
Headers = dict[str, str | bytes]
FORM: Final = "application/x-www-form-urlencoded"
NO_TEXT: Final = b"\xff" * 43
SWITCH: Final = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}


def ask(
    instance: InstanceProcess, method: str, path: str, headers: Mapping[str, str | bytes], body: bytes = b""
) -> tuple[int, str]:
    """Send a request as it is, bytes in its headers included.

    Returns:
        The status and the body.

    """
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=DEADLINE_SECONDS)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def a_browser(login: InstanceProcess) -> tuple[bytes, bytes]:
    """Return a new browser's cookie, as a header, and the token of its forms."""
    connection = http.client.HTTPConnection("127.0.0.1", login.port, timeout=DEADLINE_SECONDS)
    connection.request("GET", "/sign-in")
    answer = connection.getresponse()
    cookie = re.search(rf"{BROWSER}=[^;]+", answer.headers["Set-Cookie"])
    token = re.search(r'name="csrf" value="([^"]+)"', answer.read().decode())
    connection.close()
    return present(cookie)[0].encode(), present(token)[1].encode()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"csrf=%C3%A9"),
        (FORM, b"csrf=\xff"),
        (f"{FORM}; charset=nonsense", b"csrf=TOKEN&name=a"),
        (f"{FORM}; charset=utf-7", b"csrf=TOKEN&name=+2AA-&password=+2AA-"),
        (f"{FORM}; charset=unicode_escape", b"csrf=TOKEN&name=\\ud800"),
        ("multipart/form-data", b"csrf=TOKEN"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\ncsrf\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n",
        ),
        ("application/json", b'{"csrf": "TOKEN"}'),
    ],
)
def test_a_form_that_no_page_sends_is_refused(run: Start, content_type: str, body: bytes) -> None:
    login = run("login")
    cookie, token = a_browser(login)
    headers: Headers = {"Cookie": cookie, "Content-Type": content_type}
    status, page = ask(login, "POST", "/sign-in", headers, body.replace(b"TOKEN", token))
    assert (status, "This page has expired" in page) == (403, True)


def test_a_form_that_says_it_is_compressed_is_taken_as_it_came(run: Start) -> None:
    login = run("login")
    cookie, _ = a_browser(login)
    headers: Headers = {"Cookie": cookie, "Content-Type": FORM, "Content-Encoding": "gzip"}
    assert ask(login, "POST", "/sign-in", headers, b"not compressed at all")[0] == 403


@pytest.mark.parametrize("service", ["pairing", "push"])
@pytest.mark.parametrize("encoding", ["gzip", "br", "identity"])
def test_a_signed_request_that_is_none_gets_a_problem_document(run: Start, service: str, encoding: str) -> None:
    path = {"pairing": "/phrases", "push": "/challenges/x/answer"}[service]
    headers = {"Content-Type": "application/jose", "Content-Encoding": encoding}
    status, document = ask(run(service), "POST", path, headers, b"\xff not compressed")
    assert (status, json.loads(document)["type"]) == (400, "urn:countersign:problem:malformed")


@pytest.mark.parametrize("cookie", [f"{BROWSER}=", f"{LOGIN}=alex.", f"{SESSION}=alex.", f"{VERSION}=alex.1-1."])
def test_a_cookie_that_is_no_text_is_no_cookie(run: Start, cookie: str) -> None:
    login = run("login")
    headers: Headers = {"Cookie": cookie.encode() + NO_TEXT, "Content-Type": FORM}
    assert ask(login, "POST", "/sign-in", headers, b"csrf=x")[0] == 403
    assert ask(login, "GET", "/wait", headers)[0] == 303


@pytest.mark.parametrize("account_id", ["nobody", "\u00e9"])
def test_a_made_up_cookie_tells_nothing_of_an_account(run: Start, account_id: str) -> None:
    headers = {"Cookie": f"{VERSION}={account_id}.1-1".encode()}
    assert ask(run("login"), "GET", "/sign-in", headers)[0] == 200


@pytest.mark.parametrize("service", ["login", "push"])
@pytest.mark.parametrize("path", ["a" * 4000, "%ff", "%00", "..%2f..%2fapp.py", "nothing.js"])
def test_a_file_that_cannot_be_is_not_found(run: Start, service: str, path: str) -> None:
    folder = {"login": "/static", "push": ""}[service]
    assert ask(run(service), "GET", f"{folder}/{path}", {})[0] == 404


@pytest.mark.parametrize("key", [b"\xff", b"too short"])
def test_a_handshake_with_a_key_that_is_none_is_refused(run: Start, key: bytes) -> None:
    status, document = ask(run("push"), "GET", "/socket", {**SWITCH, "Sec-WebSocket-Key": key})
    assert (status, json.loads(document)["type"]) == (400, "urn:countersign:problem:bad-request")
