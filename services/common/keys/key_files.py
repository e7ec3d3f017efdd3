"""Key files: JWK sets of private keys (RFC 7517 section 5), one file for each kind of key that a service has.

A file is made when it is missing and replaced as a whole, never written in place: who reads it meanwhile reads the old
one or the new one.
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
    """A key file that cannot be read, used or changed; its text names the file and says what to do."""


@dataclass(frozen=True, slots=True)
class KeyKind(Generic[KeyT]):
    """A kind of key.

    Attributes:
        name: What stands in the file's name.
        keys: What the file holds, as an error calls it.
        generate: Makes a new key.
        from_jwk: Takes a key from its private JWK; raises ValueError.
        to_jwk: Gives a key's private JWK.
        id_of: Gives a key's id.

    """

    name: str
    keys: str
    generate: Callable[[], KeyT]
    from_jwk: Callable[[Mapping[str, Any]], KeyT]
    to_jwk: Callable[[KeyT], dict[str, str]]
    id_of: Callable[[KeyT], str]

    def path(self, directory: Path, service: str) -> Path:
        """Return where a service's keys of this kind are kept."""
        return directory / f"{service}-{self.name}.jwks.json"


def load_keys(directory: Path, service: str, kind: KeyKind[KeyT]) -> tuple[KeyT, ...]:
    """Return a service's keys of a kind, the active one first; make one if there is none yet.

    Raises:
        KeyFileError: If the file cannot be read or made, or holds something else.

    """
    path = kind.path(directory, service)
    text = read_or_make(path, lambda: _document([kind.generate()], kind))
    try:
        document: Any = json.loads(text)
        keys = tuple(kind.from_jwk(each) for each in document["keys"])
        if not keys:
            raise ValueError  # noqa: TRY301 - one text for all that it may be
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"{path} is not a private JWK set of {kind.keys}; restore it, or remove it to make a new one"
        raise KeyFileError(message) from error
    return keys


def replace_keys(directory: Path, service: str, kind: KeyKind[KeyT], keys: Sequence[KeyT]) -> None:
    """Replace a service's keys of a kind. Hold `changing` from reading them to this.

    Raises:
        KeyFileError: If the file cannot be replaced; it is then as it was.

    """
    path = kind.path(directory, service).resolve()
    try:
        with _draft(path, _document(keys, kind)) as draft:
            present = path.stat()
            # Made by root, it would be unreadable to the services, which have no business being root.
            os.chown(draft, present.st_uid, present.st_gid)
            draft.replace(path)
    except OSError as error:
        message = f"{path} cannot be replaced: {error.strerror}"
        raise KeyFileError(message) from error


@contextmanager
def changing(directory: Path) -> Iterator[None]:
    """Let one process at a time change the key files of a directory; others wait."""
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


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """Read a file, or make it; of several processes that make it at once, the first one's content stays.

    Raises:
        KeyFileError: If it can be neither read nor made.

    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _draft(path, make()) as draft:
                _link(draft, path)
            # Right at the first start alone: an instance with a key of its own does not understand its colleagues.
            log.warning("a secret was missing and was made anew; all instances must have the same", path=str(path))
        return path.read_text()
    except OSError as error:
        message = f"{path} can be neither read nor made: {error.strerror}"
        raise KeyFileError(message) from error
    except UnicodeDecodeError:
        message = f"{path} is not text; restore it, or remove it to make a new one"
        raise KeyFileError(message) from None


def _document(keys: Sequence[KeyT], kind: KeyKind[KeyT]) -> str:
    return json.dumps({"keys": [kind.to_jwk(key) for key in keys]}, indent=2) + "\n"


@contextmanager
def _draft(path: Path, text: str) -> Iterator[Path]:
    """Write a file beside another one, for its owner alone and safe on the disk, and remove what is left of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        draft.touch(mode=0o600)
        with draft.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _link(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
