"""Key rotation: a new key is added atomically, even by several processes at once."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from services.common.keys.key_files import KeyFileError, KeyKind, load_keys
from services.common.keys.key_rotation import activate_key, add_key, key_ids, retire_key
from services.common.keys.keys import AGREEMENT, SIGNING, load_agreement_keys, load_signing_keys
from services.common.keys.sealing import SEALING
from tests.builders import an_agreement_key

each_kind = pytest.mark.parametrize("kind", [SIGNING, AGREEMENT, SEALING], ids=lambda kind: kind.name)


@each_kind
def test_a_new_key_stands_before_the_old_ones_or_behind_them(kind: KeyKind[Any], tmp_path: Path) -> None:
    load_keys(tmp_path, "login", kind)
    (first,) = key_ids(tmp_path, "login", kind)
    second = add_key(tmp_path, "login", kind, active=True)
    third = add_key(tmp_path, "login", kind, active=False)
    assert key_ids(tmp_path, "login", kind) == (second, first, third)


@each_kind
def test_another_key_becomes_the_active_one_and_none_is_lost(kind: KeyKind[Any], tmp_path: Path) -> None:
    load_keys(tmp_path, "login", kind)
    (first,) = key_ids(tmp_path, "login", kind)
    second = add_key(tmp_path, "login", kind, active=False)
    activate_key(tmp_path, "login", kind, second)
    activate_key(tmp_path, "login", kind, second)
    assert key_ids(tmp_path, "login", kind) == (second, first)


@each_kind
def test_an_old_key_is_retired_and_the_active_one_is_not(kind: KeyKind[Any], tmp_path: Path) -> None:
    load_keys(tmp_path, "login", kind)
    (first,) = key_ids(tmp_path, "login", kind)
    second = add_key(tmp_path, "login", kind, active=True)
    with pytest.raises(KeyFileError, match="is the active"):
        retire_key(tmp_path, "login", kind, second)
    retire_key(tmp_path, "login", kind, first)
    assert key_ids(tmp_path, "login", kind) == (second,)
    for change in (retire_key, activate_key):
        with pytest.raises(KeyFileError, match=f"{first} is not a {kind.name} key"):
            change(tmp_path, "login", kind, first)


@each_kind
def test_keys_that_were_never_made_are_not_made_by_rotating_them(kind: KeyKind[Any], tmp_path: Path) -> None:
    """The directory may be a wrong one, so nothing is created."""
    assert key_ids(tmp_path, "login", kind) == ()
    with pytest.raises(KeyFileError, match="is missing"):
        add_key(tmp_path, "login", kind, active=True)
    with pytest.raises(KeyFileError, match="cannot be opened"):
        add_key(tmp_path / "nowhere", "login", kind, active=True)
    assert list(tmp_path.iterdir()) == []


@each_kind
def test_many_that_rotate_at_once_add_a_key_each(kind: KeyKind[Any], tmp_path: Path) -> None:
    load_keys(tmp_path, "login", kind)
    before = key_ids(tmp_path, "login", kind)
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: add_key(tmp_path, "login", kind, active=True), range(16)))
    assert sorted(key_ids(tmp_path, "login", kind)) == sorted([*before, *added])
    assert [path.name for path in tmp_path.iterdir()] == [f"login-{kind.name}.jwks.json"]


@each_kind
def test_the_file_stays_for_its_owner_only(kind: KeyKind[Any], tmp_path: Path) -> None:
    load_keys(tmp_path, "login", kind)
    add_key(tmp_path, "login", kind, active=True)
    assert stat.S_IMODE(kind.path(tmp_path, "login").stat().st_mode) == 0o600


@each_kind
def test_a_file_that_is_a_link_stays_one(kind: KeyKind[Any], tmp_path: Path) -> None:
    """Containers mount secrets as links."""
    (tmp_path / "mounted").mkdir()
    load_keys(tmp_path / "mounted", "login", kind)
    kind.path(tmp_path, "login").symlink_to(kind.path(tmp_path / "mounted", "login"))
    add_key(tmp_path, "login", kind, active=True)
    assert kind.path(tmp_path, "login").is_symlink()
    assert len(key_ids(tmp_path / "mounted", "login", kind)) == 2


@each_kind
def test_a_broken_file_is_left_as_it_is(kind: KeyKind[Any], tmp_path: Path) -> None:
    kind.path(tmp_path, "login").write_text("broken")
    with pytest.raises(KeyFileError, match="is not a private JWK set"):
        add_key(tmp_path, "login", kind, active=True)
    assert kind.path(tmp_path, "login").read_text() == "broken"


def test_a_signing_key_is_published_before_it_signs(tmp_path: Path) -> None:
    old = load_signing_keys(tmp_path, "login").active.public.thumbprint
    new = add_key(tmp_path, "login", SIGNING, active=False)
    published = load_signing_keys(tmp_path, "login")
    assert (published.active.public.thumbprint, published.thumbprints) == (old, (old, new))
    activate_key(tmp_path, "login", SIGNING, new)
    active = load_signing_keys(tmp_path, "login")
    assert (active.active.public.thumbprint, active.thumbprints) == (new, (new, old))


def test_an_old_agreement_key_still_derives_the_secret_of_an_older_pairing(tmp_path: Path) -> None:
    phone = an_agreement_key("Pixel 9")
    before = load_agreement_keys(tmp_path, "login")
    secret = before.active.code_secret(phone.public, "pairing-1")
    add_key(tmp_path, "login", AGREEMENT, active=True)
    after = load_agreement_keys(tmp_path, "login")
    old = after.find(before.active.key_id)
    assert after.active.key_id != before.active.key_id
    assert old is not None
    assert old.code_secret(phone.public, "pairing-1") == secret
    assert after.find("unknown") is None


def test_an_instance_that_was_not_restarted_finds_the_key_of_a_newer_one(tmp_path: Path) -> None:
    older = load_agreement_keys(tmp_path, "login")
    active = older.active.key_id
    new = add_key(tmp_path, "login", AGREEMENT, active=True)
    found = older.find(new)
    assert found is not None
    assert found.key_id == new
    assert older.active.key_id == active
