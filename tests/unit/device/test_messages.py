"""Frames, problem documents and discovery documents are parsed, and malformed ones rejected."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authenticator.device.frames import (
    ChallengeFrame,
    EndedFrame,
    HelloFrame,
    Ping,
    ProblemFrame,
    ReadyFrame,
    UnpairedFrame,
    parse_frame,
)
from authenticator.device.messages import Discovery, parse_problem
from tests.builders import present
from tests.unit.protocol.builders import a_challenge

PROBLEM = {"type": "urn:countersign:problem:expired", "title": "Expired", "status": 410, "detail": "Too late."}


def test_frames_are_read() -> None:
    challenge = a_challenge()
    frames: dict[type, dict[str, object]] = {
        HelloFrame: {"type": "hello", "nonce": "abc"},
        ReadyFrame: {"type": "ready", "server_time": "2026-11-24T08:00:00+00:00", "from_a_newer_service": 1},
        ProblemFrame: {"type": "problem", "problem": PROBLEM},
        Ping: {"type": "ping", "server_time": "2026-11-24T08:00:00+00:00"},
        ChallengeFrame: {"type": "challenge", "challenge": challenge},
        EndedFrame: {"type": "ended", "challenge_id": "1", "reason": "withdrawn"},
        UnpairedFrame: {"type": "unpaired", "statement": challenge},
    }
    for kind, frame in frames.items():
        assert type(parse_frame(json.dumps(frame))) is kind


def test_ping_of_an_older_service_has_no_time() -> None:
    assert parse_frame('{"type": "ping"}') == Ping(type="ping")


@given(st.text())
def test_any_other_text_is_ignored(text: str) -> None:
    assert parse_frame(text) is None


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "unheard-of"},
        {"type": "challenge", "challenge": "not a JWS"},
        {"type": "challenge", "challenge": "A" * 9000},
        {"type": "unpaired", "statement": "not a JWS"},
        {"type": "unpaired", "challenge": a_challenge()},
        {"type": "ended", "challenge_id": "../1", "reason": "withdrawn"},
        {"type": "ready", "server_time": "2026-11-24T08:00:00"},
        {"type": "ping", "server_time": "now"},
        {"nonce": "abc"},
    ],
)
def test_malformed_frame_is_ignored(frame: dict[str, object]) -> None:
    assert parse_frame(json.dumps(frame)) is None


def test_problem_document_is_read() -> None:
    problem = present(parse_problem(410, {"Retry-After": "7"}, json.dumps({**PROBLEM, "verdict": "deny"}).encode()))
    assert (problem.name, problem.detail, problem.retry_after_seconds) == ("expired", "Too late.", 7)
    assert problem.members["verdict"] == "deny"


@pytest.mark.parametrize(("status", "name"), [(429, "too-many-requests"), (502, "unavailable"), (503, "unavailable")])
def test_proxy_error_is_a_problem(status: int, name: str) -> None:
    problem = present(parse_problem(status, {}, b"<html>Bad gateway</html>"))
    assert problem.name == name


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"[" * 5000, b"\xff", b'{"type": "about:blank"}', b'{"type": ["urn"]}']
)
def test_other_errors_are_no_problem(body: bytes) -> None:
    assert parse_problem(404, {}, body) is None


@pytest.mark.parametrize("retry_after", ["", "soon", "-1", "nan", "1e9", "Wed, 21 Oct 2015 07:28:00 GMT", "٣"])
def test_malformed_retry_after_is_ignored(retry_after: str) -> None:
    problem = present(parse_problem(503, {"Retry-After": retry_after}, b""))
    assert problem.retry_after_seconds is None


@pytest.mark.parametrize(
    "changes",
    [
        {"pairing_url": "ftp://localhost"},
        {"pairing_url": "javascript:alert(1)"},
        {"socket_url": "http://localhost:8300/socket"},
        {"server_time": "now"},
        {"product_name": None},
    ],
)
def test_discovery_is_checked(changes: dict[str, object]) -> None:
    fine: dict[str, object] = {
        "product_name": "Salesforce Authenticator",
        "pairing_url": "http://localhost:8200",
        "socket_url": "ws://localhost:8300/socket",
        "server_time": "2026-11-24T08:00:00+00:00",
    }
    assert Discovery.model_validate(fine).pairing_url == "http://localhost:8200"
    with pytest.raises(ValueError, match=next(iter(changes))):
        Discovery.model_validate({**fine, **changes})
