"""`countersign keys` lists and rotates keys, prints the next steps, and asks before it removes one."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from services.common.keys.keys import load_agreement_keys, load_signing_keys
from services.common.keys.peppers import load_peppers
from services.common.keys.sealing import load_sealer


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Give the secrets directory of services that were started once."""
    load_signing_keys(tmp_path, "login")
    load_signing_keys(tmp_path, "pairing")
    load_agreement_keys(tmp_path, "login")
    load_sealer(tmp_path, "login")
    load_peppers(tmp_path, "login")
    return tmp_path


def keys(directory: Path, *words: str, input_text: str = "") -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["keys", *words, "--secrets-directory", str(directory)], input=input_text)


def ids(directory: Path, kind: str, service: str = "login") -> list[str]:
    """Return the ids of the keys of a kind, the active one first."""
    rows: list[dict[str, Any]] = json.loads(keys(directory, "list", "--json").stdout)
    found = [row for row in rows if (row["kind"], row["service"]) == (kind, service)]
    assert [row["active"] for row in found] == [True] + [False] * (len(found) - 1)
    return [row["key_id"] for row in found]


def test_keys_are_listed_with_their_purpose(directory: Path) -> None:
    result = keys(directory, "list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["login", "signing"],
        ["login", "agreement"],
        ["login", "sealing"],
        ["login", "pepper"],
        ["pairing", "signing"],
    ]
    assert ids(directory, "sealing")[0] in lines[2]
    assert lines[2].endswith("seals")
    assert keys(directory, "list", "--service", "pairing").stdout.splitlines() == lines[4:]


def test_no_private_key_is_printed(directory: Path) -> None:
    result = (
        keys(directory, "rotate").stdout + keys(directory, "list").stdout + keys(directory, "list", "--json").stdout
    )
    private = {
        key[member]
        for path in directory.iterdir()
        for key in json.loads(path.read_text())["keys"]
        for member in ("d", "k")
        if member in key
    }
    assert len(private) == 9
    assert not any(each in result for each in private)


@pytest.mark.parametrize("kind", ["agreement", "sealing", "pepper"])
def test_a_new_key_becomes_active_and_the_old_one_stays(directory: Path, kind: str) -> None:
    (old,) = ids(directory, kind)
    result = keys(directory, "rotate", kind)
    assert result.exit_code == 0
    new, kept = ids(directory, kind)
    assert kept == old
    assert new in result.stdout
    assert "restarted, one instance after the other" in result.stdout


@pytest.mark.parametrize("service", ["login", "pairing"])
def test_a_signing_key_rotates_in_two_printed_steps(directory: Path, service: str) -> None:
    (old,) = ids(directory, "signing", service)
    result = keys(directory, "rotate", "signing", "--service", service)
    assert result.exit_code == 0
    active, new = ids(directory, "signing", service)
    assert active == old
    next_step = f"countersign keys rotate signing --service {service} --activate {new}"
    assert next_step in result.stdout
    assert keys(directory, *next_step.split()[2:]).exit_code == 0
    assert ids(directory, "signing", service) == [new, old]


def test_all_keys_of_a_service_rotate_together(directory: Path) -> None:
    assert keys(directory, "rotate").exit_code == 0
    assert [len(ids(directory, kind)) for kind in ("signing", "agreement", "sealing", "pepper")] == [2] * 4
    assert len(ids(directory, "signing", "pairing")) == 1


def test_an_old_key_is_retired_after_confirmation(directory: Path) -> None:
    (old,) = ids(directory, "sealing")
    keys(directory, "rotate", "sealing")
    declined = keys(directory, "rotate", "--retire", old, input_text="n\n")
    assert declined.exit_code == 1
    assert "must add them again" in declined.stdout
    assert old in ids(directory, "sealing")
    assert keys(directory, "rotate", "--retire", old, input_text="y\n").exit_code == 0
    assert old not in ids(directory, "sealing")


def test_an_option_retires_an_old_key_without_confirmation(directory: Path) -> None:
    (old,) = ids(directory, "agreement")
    keys(directory, "rotate", "agreement")
    assert keys(directory, "rotate", "agreement", "--retire", old, "--yes").exit_code == 0
    assert len(ids(directory, "agreement")) == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["rotate", "--retire", "unknown", "--yes"], "unknown is not one of the keys"),
        (["rotate", "--activate", "unknown"], "unknown is not one of the keys"),
        (["rotate", "--retire", "ACTIVE", "--yes"], "is the active sealing key"),
        (["rotate", "sealing", "--service", "pairing"], "the pairing service has no sealing keys"),
        (["rotate", "--retire", "a", "--activate", "b"], "not both"),
    ],
)
def test_an_invalid_command_is_an_error_and_changes_nothing(directory: Path, words: list[str], error: str) -> None:
    (active,) = ids(directory, "sealing")
    before = {path: path.read_bytes() for path in directory.iterdir()}
    rejected = keys(directory, *[active if word == "ACTIVE" else word for word in words])
    assert rejected.exit_code == 1
    assert error in rejected.stderr
    assert {path: path.read_bytes() for path in directory.iterdir()} == before


@pytest.mark.parametrize(("content", "error"), [("{}", "is not a private JWK set"), (None, "is missing")])
def test_a_broken_or_missing_file_is_named_and_nothing_changes(
    directory: Path, content: str | None, error: str
) -> None:
    signing = (directory / "login-signing.jwks.json").read_bytes()
    path = directory / "login-sealing.jwks.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    rejected = keys(directory, "rotate")
    assert rejected.exit_code == 1
    assert f"{path} {error}" in rejected.stderr
    assert (directory / "login-signing.jwks.json").read_bytes() == signing


def test_a_directory_without_keys_is_reported(tmp_path: Path) -> None:
    assert "create them at their first start" in keys(tmp_path, "list").stdout
