"""Whatever is sent, each service answers as its OpenAPI document says, and never with an error of its own."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from hypothesis import strategies as st
from schemathesis import Case

from deploy.local.stack import Stack, StackOptions
from protocol.challenges import ANSWER_TYPE
from protocol.jose import PrivateKey
from protocol.signed_requests import REQUEST_TYPE, sign_request
from services.common.keys.keys import load_secret
from services.login.web.cookies import BROWSER, LOGIN, SESSION, Cookies
from tests.integration.services.devices import Device
from tests.integration.whole.acting import a_person
from tests.integration.whole.fuzzing import Dress, Fuzzer
from tests.polling import DEADLINE_SECONDS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.fixed_dictionaries({"device_name": st.text(min_size=1, max_size=60)}) | st.fixed_dictionaries(
    {}, optional={"device_name": JSON}
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "challenge_digest": st.just("A" * 43) | JSON,
        "verdict": st.sampled_from(["approve", "deny", "report"]) | JSON,
        "number": st.integers(10, 99) | JSON,
        "agreement_key": JSON,
    },
)
LOGIN_FORMS: Final = Path(__file__).with_name("login_forms.yaml")
"""The forms for browsers as an OpenAPI document, for tests alone: no program is to use them."""
DOCUMENTS: Final = {"login": LOGIN_FORMS}
ENDS = {"POST /cancel", "POST /sign-out"}
"""What would end the login or the session that the other requests are about."""
MAKES_CODES = "POST /account/recovery-codes"
"""Hashes ten codes each time."""


@pytest.fixture(scope="module")
def stack(stack_options: StackOptions) -> Iterator[Stack]:
    """Give a running stack that does not pause an address for guessing."""
    options = replace(stack_options, environment={"LOGIN_ADDRESSES_TRIES": "100000", "LOGIN_REMEMBER_DAYS": "1"})
    with Stack(options) as running:
        yield running


# At the login service a stranger's forms all end at the token; the tests below get further.
@pytest.mark.parametrize(("service", "examples"), [("login", 2), ("pairing", 10), ("push", 10)])
def test_a_stranger_is_answered_as_the_document_says(stack: Stack, service: str, examples: int) -> None:
    fuzzer = Fuzzer(stack.urls[service], examples=examples, document=DOCUMENTS.get(service))
    fuzzer.ask_all()
    assert fuzzer.statuses["GET /ready"].keys() == {200}


def test_a_browser_without_a_login_is_answered_as_the_document_says(stack: Stack) -> None:
    fuzzer = Fuzzer(stack.urls["login"], as_browser(stack, {}), document=LOGIN_FORMS)
    fuzzer.ask_all(lambda label: label.startswith("POST"))
    assert 401 in fuzzer.statuses["POST /sign-in"]


async def test_somebody_who_pairs_a_phone_is_answered_as_the_document_says(stack: Stack) -> None:
    async with a_person(stack) as person:
        await person.enter_password()
        dress = as_browser(stack, person.browser.cookies)
        fuzzer = Fuzzer(stack.urls["login"], dress, document=LOGIN_FORMS)
        await asyncio.to_thread(fuzzer.ask_all, lambda label: "/pair" in label or "/challenge" in label)
    assert 422 in fuzzer.statuses["POST /pair"]


async def test_somebody_who_is_signed_in_is_answered_as_the_document_says(stack: Stack) -> None:
    async with a_person(stack) as person:
        await person.first_sign_in()
        signed_in = person.browser.cookies
        await person.enter_password()
        dress = as_browser(stack, {**signed_in, LOGIN: person.browser.cookies[LOGIN]})
        fuzzer = Fuzzer(stack.urls["login"], dress, document=LOGIN_FORMS)
        await asyncio.to_thread(fuzzer.ask_all, lambda label: label not in {*ENDS, MAKES_CODES, "GET /events"})
        codes = Fuzzer(stack.urls["login"], dress, examples=1, document=LOGIN_FORMS)
        await asyncio.to_thread(codes.ask_all, lambda label: label == MAKES_CODES)
    assert fuzzer.statuses["GET /account"].keys() == {200}
    assert 409 in fuzzer.statuses["POST /account/methods/rename"]
    assert codes.statuses[MAKES_CODES].keys() == {200}
    assert 422 in fuzzer.statuses["POST /account/password"]


def test_a_device_that_asks_for_phrases_is_answered_as_the_document_says(stack: Stack) -> None:
    fuzzer = Fuzzer(stack.urls["pairing"])
    url = f"{stack.urls['pairing']}/phrases"
    fuzzer.ask("POST /phrases", NAMES, lambda payload: signed(PrivateKey.generate(), url, payload, REQUEST_TYPE))
    assert {201, 400} <= fuzzer.statuses["POST /phrases"].keys()


async def test_a_device_that_answers_is_answered_as_the_document_says(stack: Stack) -> None:
    label = "POST /challenges/{challenge_id}/answer"
    url = f"{stack.urls['push']}/challenges/c1/answer"

    def to_one(case: Case[Any]) -> None:
        case.path_parameters["challenge_id"] = "c1"

    fuzzer = Fuzzer(stack.urls["push"], to_one)
    async with Device(stack.urls["push"]) as device, await device.connect():
        await asyncio.to_thread(
            fuzzer.ask, label, ANSWERS, lambda payload: signed(device.key, url, payload, ANSWER_TYPE)
        )
    assert fuzzer.statuses[label].keys() == {400, 404}


def as_browser(stack: Stack, cookies: dict[str, str]) -> Dress:
    """Give requests the cookies of a browser, and their forms the token of its pages."""
    known = Cookies(load_secret(stack.secrets, "cookies"), secure=False)
    kept = {BROWSER: "b" * 43} | {name: value for name, value in cookies.items() if name in {BROWSER, LOGIN, SESSION}}
    token = known.csrf_token(kept[BROWSER])

    def dress(case: Case[Any]) -> None:
        case.cookies = dict(kept)
        if isinstance(case.body, dict):
            case.body["csrf"] = token

    return dress


def signed(key: PrivateKey, url: str, payload: dict[str, object], typ: str) -> str:
    """Sign a request for a URL, with a nonce of the service there."""
    origin = "/".join(url.split("/")[:3])
    nonce = requests.get(f"{origin}/nonce", timeout=DEADLINE_SECONDS).headers["Replay-Nonce"]
    return sign_request(key, url=url, nonce=nonce, at=datetime.now(UTC), payload=payload, typ=typ)
