"""`countersign proof verify` prints what is proven and what is not."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from protocol.jose import PrivateKey
from schemas.contract import AuthResponse, DevicePaired, Purpose, Verdict
from tests.unit.protocol.builders import DEVICE, ISSUER, NOW, SERVICE, a_challenge, an_answer, some_claims


def a_response(verdict: Verdict = Verdict.APPROVE) -> str:
    """Return an auth.response as it stands in the topic."""
    challenge = a_challenge()
    claims = some_claims()
    response = AuthResponse(
        challenge_id=claims.jti,
        device_id=claims.aud,
        reply_key=claims.reply_key,
        purpose=Purpose.LOGIN,
        verdict=verdict,
        challenge=challenge,
        answer=an_answer(challenge, verdict),
        answered_at=NOW,
    )
    return response.model_dump_json()


def changed(record: str, **changes: object) -> str:
    """Return a record with other members, unsigned."""
    return json.dumps({**json.loads(record), **changes})


def a_pairing(verdict: Verdict = Verdict.APPROVE, purpose: Purpose = Purpose.PAIRING) -> str:
    """Return a device.paired as it stands in the topic."""
    challenge = a_challenge(purpose)
    claims = some_claims(purpose)
    members: dict[str, Any] = {
        "pairing_id": claims.jti,
        "account_id": claims.account_id,
        "device_id": claims.aud,
        "device_name": "Pixel 9",
        "challenge": challenge,
        "answer": an_answer(challenge, verdict),
        "paired_at": NOW,
        "seal": "A" * 43,
    }
    return DevicePaired.model_validate(members).model_dump_json()


def verify(text: str, *options: str) -> Result:
    """Run the command on a text."""
    return CliRunner().invoke(app, ["proof", "verify", "-", *options], input=text)


@pytest.fixture
def key_set(tmp_path: Path) -> str:
    """Write the issuer's key set to a file."""
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [SERVICE.public.jwk]}))
    return str(path)


def test_text_names_parties_challenge_and_verdict(key_set: str) -> None:
    result = verify(a_response(Verdict.REPORT), "--jwks", key_set)
    assert result.exit_code == 0, result.output
    for words in (
        "Proven.",
        ISSUER,
        SERVICE.public.thumbprint,
        "in a given key set",
        DEVICE.public.thumbprint,
        "to sign in to Account Manager as ann@example.com",
        "Firefox on Linux, 192.0.2.7",
        "report, signed at 2026-11-24 08:00:00 UTC",
    ):
        assert words in result.output


def test_without_key_sets_the_issuers_key_is_unchecked() -> None:
    result = verify(a_response())
    assert result.exit_code == 0
    assert "not checked" in result.output
    assert SERVICE.public.thumbprint in result.output


def test_pairing_is_proven_by_its_record() -> None:
    assert verify(a_pairing()).exit_code == 0


def test_challenge_and_answer_suffice(tmp_path: Path) -> None:
    record = json.loads(a_response())
    path = tmp_path / "proof.json"
    path.write_text(json.dumps({name: record[name] for name in ("challenge", "answer")}, indent=4))
    result = CliRunner().invoke(app, ["proof", "verify", str(path)])
    assert result.exit_code == 0, result.output


def test_key_of_another_issuer_is_not_trusted(tmp_path: Path, key_set: str) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"keys": [PrivateKey.generate().public.jwk]}))
    result = verify(a_response(), "--jwks", str(other))
    assert result.exit_code == 1
    assert "in none of the given key sets" in result.output
    assert verify(a_response(), "--jwks", str(other), "--jwks", key_set).exit_code == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "deny"},
        {"device_id": SERVICE.public.thumbprint},
        {"challenge_id": "another"},
        {"reply_key": "another"},
        {"purpose": "pairing"},
        {"challenge": a_challenge(account_name="eve@example.com")},
        {"answer": an_answer(a_challenge(), key=SERVICE)},
        {"answer": "a.b.c"},
        {"answer": ""},
    ],
)
def test_record_contradicting_its_signatures_is_not_proven(changes: dict[str, object]) -> None:
    result = verify(changed(a_response(), **changes))
    assert result.exit_code == 1
    assert result.output.startswith("Not proven: ")


@pytest.mark.parametrize("record", [a_pairing(Verdict.DENY), a_pairing(purpose=Purpose.LOGIN)])
def test_pairing_needs_an_approved_pairing(record: str) -> None:
    result = verify(record)
    assert result.exit_code == 1
    assert "device was paired" in result.output


def test_json_lines_are_checked_one_by_one() -> None:
    lines = [a_response(), "", a_response(Verdict.DENY), changed(a_response(Verdict.DENY), account_id="another")]
    result = verify("\n".join(lines), "--json")
    assert result.exit_code == 1
    found = [json.loads(line) for line in result.output.splitlines()]
    assert [(each["proven"], each["verdict"]) for each in found] == [(True, "approve"), (True, "deny"), (False, "deny")]
    assert "account_id" in found[2]["reason"]
    assert found[0]["claims"]["account_name"] == "ann@example.com"
    assert verify("\n".join(lines[:3])).output.endswith("2 of 2 proven.\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no record"),
        ("[]", "no record"),
        ("junk", "line 1 is not JSON"),
        (f"{a_response()}\njunk", "line 2 is not JSON"),
        ("7", "record 1 has no challenge"),
        ("{}", "record 1 has no challenge"),
        (f'[{a_response()}, {{"challenge": 1, "answer": 2}}]', "record 2 has no challenge"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_input_that_is_not_a_record_is_an_error(text: str, words: str) -> None:
    result = verify(text)
    assert result.exit_code == 2
    assert words in result.output


def test_unreadable_files_and_key_sets_are_named(tmp_path: Path) -> None:
    missing = CliRunner().invoke(app, ["proof", "verify", str(tmp_path / "missing.json")])
    assert (missing.exit_code, "missing.json cannot be read" in missing.output) == (2, True)
    (tmp_path / "keys").write_text("junk")
    for source, words in {
        str(tmp_path / "keys"): "not a JWK set",
        str(tmp_path / "none"): "cannot be read",
        "http://127.0.0.1:1/jwks.json": "cannot be fetched",
    }.items():
        result = verify(a_response(), "--jwks", source)
        assert (result.exit_code, words in result.output) == (2, True), result.output


def test_names_cannot_control_the_terminal() -> None:
    challenge = a_challenge(account_name="ann\x1b[2J\nProven.")
    result = verify(json.dumps({"challenge": challenge, "answer": an_answer(challenge)}))
    assert "\x1b" not in result.output
    assert result.output.splitlines().count("Proven.") == 1
