"""Key rotation: add a key, activate it, retire an old one. Services load the change at their next start."""

from collections.abc import Callable
from pathlib import Path

from services.common.keys.key_files import KeyFileError, KeyKind, KeyT, load_keys, lock_key_files, replace_keys


def add_key(directory: Path, service: str, kind: KeyKind[KeyT], *, active: bool) -> str:
    """Add a new key and keep the others.

    Args:
        directory: The directory of the secrets.
        service: The service's name.
        kind: The kind of key.
        active: Whether the new key becomes the active one; otherwise it is added at the end.

    Returns:
        The new key's id.

    Raises:
        KeyFileError: If there are no keys yet, or the file cannot be read or replaced.

    """
    new = kind.generate()
    _change(directory, service, kind, lambda keys: (new, *keys) if active else (*keys, new))
    return kind.id_of(new)


def activate_key(directory: Path, service: str, kind: KeyKind[KeyT], key_id: str) -> None:
    """Make an existing key the active one.

    Raises:
        KeyFileError: If the key does not exist, or the file cannot be read or replaced.

    """

    def move_to_front(keys: tuple[KeyT, ...]) -> tuple[KeyT, ...]:
        chosen = _find_key(keys, service, kind, key_id)
        return (chosen, *(key for key in keys if key is not chosen))

    _change(directory, service, kind, move_to_front)


def retire_key(directory: Path, service: str, kind: KeyKind[KeyT], key_id: str) -> None:
    """Remove a key.

    Raises:
        KeyFileError: If the key does not exist or is active, or the file cannot be read or replaced.

    """

    def remove(keys: tuple[KeyT, ...]) -> tuple[KeyT, ...]:
        chosen = _find_key(keys, service, kind, key_id)
        if chosen is keys[0]:
            text = f"{key_id} is the active {kind.name} key of the {service} service; activate another one first"
            raise KeyFileError(text)
        return tuple(key for key in keys if key is not chosen)

    _change(directory, service, kind, remove)


def key_ids(directory: Path, service: str, kind: KeyKind[KeyT]) -> tuple[str, ...]:
    """Return the ids of a service's keys of a kind, the active one first; empty before the service's first start.

    Raises:
        KeyFileError: If the file cannot be read.

    """
    if not kind.path(directory, service).exists():
        return ()
    return tuple(kind.id_of(key) for key in load_keys(directory, service, kind))


def require_keys(directory: Path, service: str, kind: KeyKind[KeyT]) -> None:
    """Check that a service has keys of a kind; only the service itself creates them.

    Raises:
        KeyFileError: If there are none yet, or the file cannot be read.

    """
    if not key_ids(directory, service, kind):
        text = f"{kind.path(directory, service)} is missing; the {service} service creates it at its start"
        raise KeyFileError(text)


def _change(
    directory: Path, service: str, kind: KeyKind[KeyT], change: Callable[[tuple[KeyT, ...]], tuple[KeyT, ...]]
) -> None:
    with lock_key_files(directory):
        require_keys(directory, service, kind)
        replace_keys(directory, service, kind, change(load_keys(directory, service, kind)))


def _find_key(keys: tuple[KeyT, ...], service: str, kind: KeyKind[KeyT], key_id: str) -> KeyT:
    found = next((key for key in keys if kind.id_of(key) == key_id), None)
    if found is None:
        text = f"{key_id} is not a {kind.name} key of the {service} service"
        raise KeyFileError(text)
    return found
