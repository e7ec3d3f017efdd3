"""Key files: JWK sets of private keys (RFC 7517 section 5), one file for each kind of key of a service.

A missing file is created. A file is replaced atomically, never written in place: a concurrent reader gets the old
content or the new content.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)
KeyT = TypeVar("KeyT")


class KeyFileError(ValueError):
    """A key file that cannot be read, used or changed. The text names the file and says what to do."""


@dataclass(frozen=True, slots=True)
class KeyKind(Generic[KeyT]):
    """A kind of key.

    Attributes:
        name: The kind's name in the file name.
        keys: The keys' description in error messages.
        generate: Returns a new key.
        from_jwk: Returns the key of a private JWK; raises ValueError.
        to_jwk: Returns a key's private JWK.
        id_of: Returns a key's id.

    """

    name: str
    keys: str
    generate: Callable[[], KeyT]
    from_jwk: Callable[[Mapping[str, Any]], KeyT]
    to_jwk: Callable[[KeyT], dict[str, str]]
    id_of: Callable[[KeyT], str]

    def path(self, directory: Path, service: str) -> Path:
        """Return the path of a service's key file."""
        return directory / f"{service}-{self.name}.jwks.json"


class KeyRing(Generic[KeyT]):
    """Several keys for one purpose, for rotation: the active key makes new artefacts, all keys accept existing ones.

    An unknown key id triggers a reload of the file, since another instance may already use a newer key. So an operator
    can add a key and restart the instances one after the other.
    """

    def __init__(self, load: Callable[[], tuple[KeyT, ...]], id_of: Callable[[KeyT], str]) -> None:
        """Load the keys.

        Args:
            load: Reads the keys from their file, the active one first.
            id_of: Returns a key's id.

        """
        self._load = load
        self._id_of = id_of
        self._keys = load()

    @property
    def active(self) -> KeyT:
        """The key for new artefacts."""
        return self._keys[0]

    @property
    def all(self) -> tuple[KeyT, ...]:
        """All known keys, the active one first."""
        return self._keys

    def find(self, key_id: str) -> KeyT | None:
        """Return the key with an id, or None if it is retired.

        Raises:
            KeyFileError: If the id is unknown and the file cannot be read.

        """
        return self._find_loaded(key_id) or self._reload_and_find(key_id)

    def _find_loaded(self, key_id: str) -> KeyT | None:
        return next((key for key in self._keys if self._id_of(key) == key_id), None)

    def _reload_and_find(self, key_id: str) -> KeyT | None:
        # The active key stays: it changes only at a restart.
        loaded = tuple(key for key in self._load() if self._find_loaded(self._id_of(key)) is None)
        self._keys = (*self._keys, *loaded)
        return self._find_loaded(key_id)


def load_keys(directory: Path, service: str, kind: KeyKind[KeyT]) -> tuple[KeyT, ...]:
    """Return a service's keys of a kind, the active one first; create one if there is none.

    Raises:
        KeyFileError: If the file cannot be read or created, or its content is invalid.

    """
    path = kind.path(directory, service)
    text = read_or_create(path, lambda: _document([kind.generate()], kind))
    try:
        document: Any = json.loads(text)
        keys = tuple(kind.from_jwk(each) for each in document["keys"])
        if not keys:
            raise ValueError  # noqa: TRY301 - one message for every malformation
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"{path} is not a private JWK set of {kind.keys}; restore it, or remove it to create a new one"
        raise KeyFileError(message) from error
    return keys


def replace_keys(directory: Path, service: str, kind: KeyKind[KeyT], keys: Sequence[KeyT]) -> None:
    """Replace a service's keys of a kind. The caller holds `lock_key_files` since it read them.

    Raises:
        KeyFileError: If the file cannot be replaced; it is then unchanged.

    """
    path = kind.path(directory, service).resolve()
    try:
        with _temporary_file(path, _document(keys, kind)) as temporary:
            present = path.stat()
            # A file that root creates would be unreadable to the services, which must not run as root.
            os.chown(temporary, present.st_uid, present.st_gid)
            temporary.replace(path)
    except OSError as error:
        message = f"{path} cannot be replaced: {error.strerror}"
        raise KeyFileError(message) from error


@contextmanager
def lock_key_files(directory: Path) -> Iterator[None]:
    """Lock the key files of a directory against changes by other processes, which wait."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError as error:
        message = f"{directory} cannot be opened: {error.strerror}"
        raise KeyFileError(message) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_or_create(path: Path, make: Callable[[], str]) -> str:
    """Read a file, or create it; if several processes create it at once, the first one's content wins.

    Raises:
        KeyFileError: If it can be neither read nor created.

    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _temporary_file(path, make()) as temporary:
                _link(temporary, path)
            # Normal only at the first start: with different keys, instances reject each other's tokens and signatures.
            log.warning("a secret was missing and has been created; all instances must share it", path=str(path))
        return path.read_text()
    except OSError as error:
        message = f"{path} can be neither read nor created: {error.strerror}"
        raise KeyFileError(message) from error
    except UnicodeDecodeError:
        message = f"{path} is not text; restore it, or remove it to create a new one"
        raise KeyFileError(message) from None


def _document(keys: Sequence[KeyT], kind: KeyKind[KeyT]) -> str:
    return json.dumps({"keys": [kind.to_jwk(key) for key in keys]}, indent=2) + "\n"


@contextmanager
def _temporary_file(path: Path, text: str) -> Iterator[Path]:
    """Write a file beside another one, private and synced to disk, and remove it afterwards if it still exists."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        temporary.touch(mode=0o600)
        with temporary.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _link(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
