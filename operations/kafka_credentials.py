"""Credentials for a protected Kafka of one's own: ``python -m operations.kafka_credentials DIRECTORY NAME…``.

Each name gets a directory with the authority's certificate, a certificate with its key, and a password. What is there
stays.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self

import typer

from operations.certificates import AUTHORITY, certificate_path, key_path, make_authority, make_certificate

PASSWORD: Final = "password"  # noqa: S105 - the name of a file
PAIR: Final = "certificate-and-key.pem"
"""The certificate and its key in one file, as Kafka's brokers read it."""
_PASSWORD_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Holder:
    """Who gets credentials.

    Attributes:
        name: The name, which is the user's and the certificate's.
        owner: The numeric user who owns the files; None for this process's.
        hosts: The host names for which the certificate is good as a broker's.

    """

    name: str
    owner: int | None
    hosts: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the holder of ``NAME``, ``NAME:UID`` or ``NAME:UID=HOST,HOST``."""
        who, _, hosts = text.partition("=")
        name, _, owner = who.partition(":")
        return cls(name, int(owner) if owner else None, tuple(host for host in hosts.split(",") if host))


def make_credentials(directory: Path, holder: Holder) -> None:
    """Make a holder's credentials, unless they are there."""
    own = directory / holder.name
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (own / PASSWORD).exists():
        return
    authority = directory / AUTHORITY
    make_certificate(authority, holder.name, holder.hosts)
    certificate, key = certificate_path(authority, holder.name), key_path(authority, holder.name)
    for path, text in {
        certificate_path(own, AUTHORITY): certificate_path(authority, AUTHORITY).read_text(),
        certificate_path(own, holder.name): certificate.read_text(),
        key_path(own, holder.name): key.read_text(),
        own / PAIR: key.read_text() + certificate.read_text(),
        own / f"{PASSWORD}.new": secrets.token_urlsafe(_PASSWORD_BYTES),
    }.items():
        path.touch(mode=0o600)
        path.write_text(text)
        if holder.owner is not None:
            os.chown(path, holder.owner, holder.owner)
    if holder.owner is not None:
        os.chown(own, holder.owner, holder.owner)
    # Last, since its presence means that all is there.
    (own / f"{PASSWORD}.new").replace(own / PASSWORD)
    certificate.unlink()
    key.unlink()


def main(
    directory: Annotated[Path, typer.Argument(help="Directory of all credentials; ca has the authority.")],
    names: Annotated[list[str], typer.Argument(help="NAME, NAME:UID to give the files to a user, NAME:UID=HOST,…")],
) -> None:
    """Make an authority, certificates and passwords for Kafka's brokers and clients; keep what is there."""
    make_authority(directory / AUTHORITY)
    for each in names:
        make_credentials(directory, Holder.parse(each))


if __name__ == "__main__":
    typer.run(main)
