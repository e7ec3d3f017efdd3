"""Keys at rest: created if missing, shared by all instances, and validated."""

import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from protocol.jose import PrivateKey
from services.common.keys.key_files import KeyFileError, KeyRing
from services.common.keys.keys import SigningKeys, load_agreement_keys, load_secret, load_signing_keys
from services.common.keys.sealing import Sealer, load_sealer
from tests.builders import a_key

LOADERS: dict[str, tuple[Callable[[Path, str], Any], str]] = {
    "secret": (load_secret, "seal.key"),
    "signing keys": (load_signing_keys, "seal-signing.jwks.json"),
    "agreement keys": (load_agreement_keys, "seal-agreement.jwks.json"),
    "sealer": (load_sealer, "seal-sealing.jwks.json"),
}
each_kind = pytest.mark.parametrize(("load", "file_name"), LOADERS.values(), ids=LOADERS.keys())
Load = Callable[[Path, str], Any]


def _identity(loaded: Any) -> str:
    """Return a value that is equal for equal keys."""
    match loaded:
        case SigningKeys():
            return ",".join(loaded.thumbprints)
        case KeyRing():
            return str(loaded.active.key_id)
        case Sealer():
            header, *_ = loaded.seal("secret", ()).split(".")
            return header
        case _:
            return repr(loaded)


@each_kind
def test_a_missing_key_is_made_and_then_stays(load: Load, file_name: str, tmp_path: Path) -> None:
    directory = tmp_path / "not" / "there" / "yet"
    first = load(directory, "seal")
    content = (directory / file_name).read_bytes()
    again = load(directory, "seal")
    assert (directory / file_name).read_bytes() == content
    assert _identity(again) == _identity(first)


@each_kind
def test_keys_are_for_their_owner_only(load: Load, file_name: str, tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    load(directory, "seal")
    assert stat.S_IMODE((directory / file_name).stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@each_kind
def test_many_that_make_the_same_key_at_once_end_up_with_one(load: Load, file_name: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: load(tmp_path, "seal"), range(16)))
    assert len({_identity(each) for each in made}) == 1
    assert [path.name for path in tmp_path.iterdir()] == [file_name]


def test_each_name_has_its_own_key(tmp_path: Path) -> None:
    assert load_secret(tmp_path, "seal") != load_secret(tmp_path, "phrases")
    assert load_signing_keys(tmp_path, "login").thumbprints != load_signing_keys(tmp_path, "pairing").thumbprints


def test_a_secret_is_32_random_bytes(tmp_path: Path) -> None:
    assert len(load_secret(tmp_path, "seal")) == 32


BROKEN = [
    b"",
    b"short",
    b"zz" * 32,
    b"ab" * 31,
    b"\xff\xfe",
    b"[]",
    b"{}",
    b'{"keys": []}',
    b'{"keys": [{"kty": "EC"}]}',
    b'{"keys": [{"kty": "oct", "kid": "one", "k": "c2hvcnQ"}]}',
    b"[" * 100_000,
]


@each_kind
@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_key_stops_the_start_and_names_its_file(
    load: Load, file_name: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / file_name
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=file_name) as caught:
        load(tmp_path, "seal")
    assert path.read_bytes() == content
    assert content == b"" or repr(content)[2:-1] not in str(caught.value)


@each_kind
def test_a_key_that_cannot_be_read_stops_the_start_and_names_its_file(
    load: Load, file_name: str, tmp_path: Path
) -> None:
    (tmp_path / file_name).mkdir()
    with pytest.raises(KeyFileError, match=file_name):
        load(tmp_path, "seal")


@each_kind
def test_a_directory_that_cannot_be_made_stops_the_start_and_names_the_file(
    load: Load, file_name: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KeyFileError, match=file_name):
        load(tmp_path / "file", "seal")


def _write_keys(directory: Path, *keys: PrivateKey) -> None:
    (directory / "login-signing.jwks.json").write_text(json.dumps({"keys": [key.to_jwk() for key in keys]}))


def test_the_first_key_signs_and_all_are_published(tmp_path: Path) -> None:
    first, second = a_key("first"), a_key("second")
    _write_keys(tmp_path, first, second)
    keys = load_signing_keys(tmp_path, "login")
    assert keys.active.public.thumbprint == first.public.thumbprint
    assert keys.thumbprints == (first.public.thumbprint, second.public.thumbprint)
    published = keys.public_set()["keys"]
    assert [key["kid"] for key in published] == list(keys.thumbprints)
    assert all((key["use"], key["alg"]) == ("sig", "ES256") for key in published)


def test_no_private_half_is_published(tmp_path: Path) -> None:
    published = load_signing_keys(tmp_path, "login").public_set()["keys"]
    assert not any("d" in key for key in published)


def test_a_public_key_alone_is_not_taken_for_a_signing_key(tmp_path: Path) -> None:
    (tmp_path / "login-signing.jwks.json").write_text(json.dumps({"keys": [a_key("first").public.jwk]}))
    with pytest.raises(KeyFileError):
        load_signing_keys(tmp_path, "login")
