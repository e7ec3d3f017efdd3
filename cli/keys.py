"""``countersign keys``: list and rotate the keys of the services."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cli.common import DEFAULT_DIRECTORY, Directory, give_up
from services.common.keys.key_files import KeyFileError, KeyKind
from services.common.keys.key_rotation import activate_key, add_key, key_ids, require_keys, retire_key
from services.common.keys.keys import AGREEMENT, SIGNING
from services.common.keys.peppers import PEPPER
from services.common.keys.sealing import SEALING

app = typer.Typer(help="List and rotate the services' keys.", no_args_is_help=True)


class Service(StrEnum):
    """A service that has keys."""

    LOGIN = "login"
    PAIRING = "pairing"


class KeyPurpose(StrEnum):
    """The purpose of a key."""

    SIGNING = "signing"
    AGREEMENT = "agreement"
    SEALING = "sealing"
    PEPPER = "pepper"
    ALL = "all"


KINDS: Final[dict[Service, tuple[KeyKind[Any], ...]]] = {
    Service.LOGIN: (SIGNING, AGREEMENT, SEALING, PEPPER),
    Service.PAIRING: (SIGNING,),
}
PURPOSES: Final = {
    SIGNING.name: ("signs", "is published and accepted"),
    AGREEMENT.name: ("is for new pairings", "is for older pairings"),
    SEALING.name: ("seals", "opens what it sealed"),
    PEPPER.name: ("is for new hashes, and for a password's at its next sign-in", "checks what was hashed with it"),
}
"""The purposes of the active key and of the others."""
LOSSES: Final = {
    SIGNING.name: "Answers to its challenges will be rejected, and their proofs no longer match the published keys.",
    AGREEMENT.name: "Verification codes of phones that were paired with it will be rejected: pair those phones again.",
    SEALING.name: "Authenticator apps whose secrets it sealed will be rejected: their owners must add them again.",
    PEPPER.name: "Recovery codes that it hashed will be rejected, and passwords: of the accounts that "
    "`countersign accounts list --json` shows with this password_key, which have not signed in since the rotation.",
}
"""The consequences of retiring a key."""


@app.command("list")
def list_keys(
    *,
    service: Annotated[Service | None, typer.Option(help="Only this service's keys.")] = None,
    directory: Directory = DEFAULT_DIRECTORY,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the ids and the purposes of the services' keys."""
    rows = [
        {"service": each.value, "kind": kind.name, "key_id": key_id, "active": index == 0}
        for each in ([service] if service else list(Service))
        for kind in KINDS[each]
        for index, key_id in enumerate(_ids(directory, each, kind))
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo(f"There are no keys in {directory}. The services create them at their first start.")
    for row in rows:
        active, other = PURPOSES[str(row["kind"])]
        purpose = active if row["active"] else other
        typer.echo(f"{row['service']:<9}{row['kind']:<11}{row['key_id']:<45}{purpose}")


@app.command()
def rotate(  # noqa: PLR0913 - the options of a command
    keys: Annotated[KeyPurpose, typer.Argument(help="The purpose of the keys.")] = KeyPurpose.ALL,
    *,
    service: Annotated[Service, typer.Option(help="The service.")] = Service.LOGIN,
    activate: Annotated[
        str | None, typer.Option(metavar="KEY_ID", help="Activate this key instead of adding one.")
    ] = None,
    retire: Annotated[str | None, typer.Option(metavar="KEY_ID", help="Remove this key instead of adding one.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Add a key to a service; the old keys stay valid for existing pairings, secrets and challenges.

    A new agreement or sealing key is active from the next start on. A new signing key is only published at first, so
    that every phone has it before it signs; later, --activate activates it.
    """
    kinds = [kind for kind in KINDS[service] if keys in {KeyPurpose.ALL, kind.name}]
    if not kinds:
        give_up(f"the {service} service has no {keys} keys")
    if activate and retire:
        give_up("use --activate or --retire, not both")
    try:
        if activate:
            _activate(directory, service, _kind_of(directory, service, kinds, activate), activate)
        elif retire:
            _retire(directory, service, _kind_of(directory, service, kinds, retire), retire, yes=yes)
        else:
            for kind in kinds:
                require_keys(directory, service, kind)  # check all before the first change
            for kind in kinds:
                _add(directory, service, kind)
    except KeyFileError as error:
        give_up(str(error))


def _add(directory: Path, service: Service, kind: KeyKind[Any]) -> None:
    published_first = kind is SIGNING
    key_id = add_key(directory, service, kind, active=not published_first)
    typer.echo(f"The {service} service has a new {kind.name} key: {key_id}")
    if published_first:
        typer.echo(
            "It does not sign yet: phones and the other instances must know it first.\n"
            f"  1. Restart every instance of the {service} service, which publishes the key.\n"
            "  2. A minute later, when all cached copies of the published keys have expired:\n"
            f"     countersign keys rotate signing --service {service} --activate {key_id}"
        )
        return
    typer.echo(
        f"It {PURPOSES[kind.name][0]} once the {service} service is restarted, one instance after the other. "
        "The older keys stay valid."
    )


def _activate(directory: Path, service: Service, kind: KeyKind[Any], key_id: str) -> None:
    activate_key(directory, service, kind, key_id)
    typer.echo(
        f"The active {kind.name} key of the {service} service is now {key_id}\n"
        f"Restart every instance of the {service} service. The older keys stay valid; "
        "remove one that is not needed any more with --retire."
    )


def _retire(directory: Path, service: Service, kind: KeyKind[Any], key_id: str, *, yes: bool) -> None:
    if not yes and not typer.confirm(f"{LOSSES[kind.name]}\nRemove the {kind.name} key {key_id}?"):
        give_up("nothing was changed")
    retire_key(directory, service, kind, key_id)
    typer.echo(f"Removed. Restart every instance of the {service} service.")


def _kind_of(directory: Path, service: Service, kinds: list[KeyKind[Any]], key_id: str) -> KeyKind[Any]:
    for kind in kinds:
        if key_id in key_ids(directory, service, kind):
            return kind
    text = f"{key_id} is not one of the keys; list them with: countersign keys list --service {service}"
    raise KeyFileError(text)


def _ids(directory: Path, service: Service, kind: KeyKind[Any]) -> tuple[str, ...]:
    try:
        return key_ids(directory, service, kind)
    except KeyFileError as error:
        give_up(str(error))
