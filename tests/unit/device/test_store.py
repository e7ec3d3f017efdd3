"""The state directory: private, consistent after each change, shared by processes."""

import json
import multiprocessing
import stat
from pathlib import Path

import pytest

from authenticator.device.errors import StateError
from authenticator.device.state import Account, ChallengeOutcome, State, new_account
from authenticator.device.store import AGREEMENT_FILE, KEY_FILE, STATE_FILE, DirectoryStore
from protocol.agreement import AgreementPrivateKey
from protocol.challenges import PinnedIssuer
from schemas.contract import Purpose
from tests.builders import present
from tests.unit.protocol.builders import ISSUER, NOW, SERVICE, some_claims

NEW = State(device_name="Pixel 9")
CHANGES = 40
PROCESSES = 3


def an_account(*, agreement: bool) -> Account:
    """Return an account, with verification codes or without."""
    pinned = PinnedIssuer(issuer=ISSUER, keys=(SERVICE.public.thumbprint,))
    if agreement:
        pinned = pinned.model_copy(update={"agreement": AgreementPrivateKey.generate().public})
    return present(new_account(some_claims(Purpose.PAIRING, login_issuer=pinned), NOW))


def note_many(directory: Path, who: str) -> None:
    """Change the state many times, in a process of its own."""
    store = DirectoryStore.open(directory, NEW)
    for number in range(CHANGES):
        claims = some_claims(jti=f"{who}-{number}")
        store.update(lambda state, claims=claims: state.with_ended(claims, ChallengeOutcome.APPROVED, NOW))  # type: ignore[misc]


def test_reopened_store_is_the_same_device(tmp_path: Path) -> None:
    first = DirectoryStore.open(tmp_path / "deep" / "state", NEW)
    first.update(lambda state: state.with_names(device_name="Pixel 10"))
    again = DirectoryStore.open(tmp_path / "deep" / "state", NEW)
    assert again.key.public.thumbprint == first.key.public.thumbprint
    assert again.agreement.key_id == first.agreement.key_id
    assert again.agreement.key_id != again.key.public.thumbprint
    assert again.read().device_name == "Pixel 10"


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    DirectoryStore.open(directory, NEW)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for path in directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_concurrent_processes_lose_no_changes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=note_many, args=(tmp_path, f"writer{number}")) for number in range(PROCESSES)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)
        assert writer.exitcode == 0
    store = DirectoryStore.open(tmp_path, NEW)
    assert len(store.read().history) == PROCESSES * CHANGES
    assert {path.name for path in tmp_path.iterdir()} == {KEY_FILE, AGREEMENT_FILE, STATE_FILE, "lock"}


def test_failed_change_leaves_the_state_unchanged(tmp_path: Path) -> None:
    store = DirectoryStore.open(tmp_path, NEW)
    before = (tmp_path / STATE_FILE).read_bytes()

    def fail(_state: State) -> State:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.update(fail)
    assert (tmp_path / STATE_FILE).read_bytes() == before
    assert store.update(lambda state: state) == NEW


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (KEY_FILE, "{}"),
        (KEY_FILE, "junk"),
        (KEY_FILE, "[]"),
        (AGREEMENT_FILE, "{}"),
        (AGREEMENT_FILE, "junk"),
        (STATE_FILE, "{}"),
        (STATE_FILE, "junk"),
        (STATE_FILE, ""),
    ],
)
def test_damaged_file_is_named_and_kept(tmp_path: Path, name: str, text: str) -> None:
    DirectoryStore.open(tmp_path, NEW)
    (tmp_path / name).write_text(text)
    with pytest.raises(StateError, match=name):
        DirectoryStore.open(tmp_path, NEW)
    assert (tmp_path / name).read_text() == text


def test_lost_key_is_not_replaced(tmp_path: Path) -> None:
    """A new key would be another device, and all pairings void without a word."""
    DirectoryStore.open(tmp_path, NEW)
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(StateError, match=KEY_FILE):
        DirectoryStore.open(tmp_path, NEW)


def test_file_instead_of_a_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="--state"):
        DirectoryStore.open(tmp_path / "file", NEW)


@pytest.mark.parametrize("name", [KEY_FILE, AGREEMENT_FILE])
def test_key_is_a_private_jwk(tmp_path: Path, name: str) -> None:
    DirectoryStore.open(tmp_path, NEW)
    assert set(json.loads((tmp_path / name).read_text())) == {"kty", "crv", "x", "y", "d"}


def test_store_without_codes_gets_an_agreement_key_once(tmp_path: Path) -> None:
    before = DirectoryStore.open(tmp_path, NEW)
    old = before.update(lambda state: state.with_account(an_account(agreement=False)))
    document = json.loads((tmp_path / STATE_FILE).read_text())
    for member in ("pairing_id", "agreement"):
        del document["accounts"][0][member]
    (tmp_path / STATE_FILE).write_text(json.dumps(document))
    (tmp_path / AGREEMENT_FILE).unlink()

    opened, again = (DirectoryStore.open(tmp_path, NEW) for _ in range(2))
    assert opened.key.public.thumbprint == before.key.public.thumbprint
    assert opened.agreement.key_id == again.agreement.key_id
    assert opened.read().accounts[0].account_id == old.accounts[0].account_id


def test_lost_agreement_key_is_not_replaced(tmp_path: Path) -> None:
    """A new one would show codes that the service does not take."""
    store = DirectoryStore.open(tmp_path, NEW)
    store.update(lambda state: state.with_account(an_account(agreement=True)))
    (tmp_path / AGREEMENT_FILE).unlink()
    with pytest.raises(StateError, match=AGREEMENT_FILE):
        DirectoryStore.open(tmp_path, NEW)
    assert not (tmp_path / AGREEMENT_FILE).exists()
