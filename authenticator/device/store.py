"""Storage for a device's keys and state: a directory that processes may share, or memory."""

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar

from pydantic import ValidationError

from authenticator.device.errors import StateError
from authenticator.device.state import Change, State
from protocol.agreement import AgreementPrivateKey
from protocol.jose import PrivateKey

KEY_FILE: Final = "key.json"
AGREEMENT_FILE: Final = "agreement.json"
STATE_FILE: Final = "state.json"
LOCK_FILE: Final = "lock"
KeyT = TypeVar("KeyT", PrivateKey, AgreementPrivateKey)


class Store(Protocol):
    """A device's keys and state."""

    @property
    def key(self) -> PrivateKey:
        """The device's key pair for signatures."""

    @property
    def agreement(self) -> AgreementPrivateKey:
        """The device's key pair for verification codes."""

    def read(self) -> State:
        """Return the present state."""

    def update(self, change: Change) -> State:
        """Change the state atomically, and return it."""


class MemoryStore:
    """Keys and state in memory, for many phones in one process."""

    def __init__(
        self, state: State, key: PrivateKey | None = None, agreement: AgreementPrivateKey | None = None
    ) -> None:
        self.key = PrivateKey.generate() if key is None else key
        self.agreement = AgreementPrivateKey.generate() if agreement is None else agreement
        self._state = state

    def read(self) -> State:
        """Return the present state."""
        return self._state

    def update(self, change: Change) -> State:
        """Change the state and return it."""
        self._state = change(self._state)
        return self._state


class DirectoryStore:
    """Keys and state in files of mode 0600.

    Each change is written to a new file that replaces the old one, under a lock (flock) between processes.
    """

    def __init__(self, directory: Path, key: PrivateKey, agreement: AgreementPrivateKey) -> None:
        self.key = key
        self.agreement = agreement
        self._directory = directory

    @classmethod
    def open(cls, directory: Path, initial: State) -> Self:
        """Open a directory, and create it, the keys or the initial state if they are missing.

        Raises:
            StateError: If it cannot be used; the text says what to do.

        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(directory):
                if not (directory / KEY_FILE).exists():
                    if (directory / STATE_FILE).exists():
                        raise _key_missing(directory / KEY_FILE)
                    _replace(directory / STATE_FILE, initial.model_dump_json(indent=1))
                    _replace(directory / KEY_FILE, json.dumps(PrivateKey.generate().to_jwk()))
                key = _read_key(directory / KEY_FILE, PrivateKey.from_jwk)
                state = _read_state(directory / STATE_FILE)
                if not (directory / AGREEMENT_FILE).exists():
                    if any(account.agreement is not None for account in state.accounts):
                        raise _key_missing(directory / AGREEMENT_FILE)
                    _replace(directory / AGREEMENT_FILE, json.dumps(AgreementPrivateKey.generate().to_jwk()))
            return cls(directory, key, _read_key(directory / AGREEMENT_FILE, AgreementPrivateKey.from_jwk))
        except OSError as error:
            text = (
                f"The state directory {directory} cannot be used: {error.strerror or error}. Set another one (--state)."
            )
            raise StateError(text) from error

    def read(self) -> State:
        """Return the present state.

        Raises:
            StateError: If the file is damaged.

        """
        return _read_state(self._directory / STATE_FILE)

    def update(self, change: Change) -> State:
        """Change the state atomically, and return it.

        Raises:
            StateError: If it cannot be read or written.

        """
        try:
            with _locked(self._directory):
                before = self.read()
                after = change(before)
                if after != before:
                    _replace(self._directory / STATE_FILE, after.model_dump_json(indent=1))
        except OSError as error:
            text = f"{self._directory} cannot be written: {error.strerror or error}."
            raise StateError(text) from error
        return after


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _read_state(path: Path) -> State:
    try:
        return State.model_validate_json(path.read_bytes())
    except ValidationError as error:
        text = f"{path} is damaged ({error.error_count()} errors). Restore it, or choose another directory."
        raise StateError(text) from error
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror or error}."
        raise StateError(text) from error


def _key_missing(path: Path) -> StateError:
    """Return the error for a missing key; a new key would silently invalidate what depends on it."""
    return StateError(f"{path.parent} has a state but no {path.name}. Restore the key, or choose another directory.")


def _read_key(path: Path, read: Callable[[dict[str, Any]], KeyT]) -> KeyT:
    try:
        return read(json.loads(path.read_bytes()))
    except (ValueError, TypeError, AttributeError) as error:
        text = f"{path} is not a device's private key. Restore it, or choose another directory."
        raise StateError(text) from error
