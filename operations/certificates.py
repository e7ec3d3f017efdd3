"""A small certificate authority for a Kafka of one's own: ``python -m operations.certificates DIRECTORY NAME…``.

It makes what is missing, and leaves what is there. A deployment with an authority of its own does not need this.
"""

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.common.clock import now

VALID: Final = timedelta(days=3650)
AUTHORITY: Final = "ca"
_EARLIER: Final = timedelta(hours=1)
"""Room for clocks that are behind."""
_USAGES: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


def certificate_path(directory: Path, name: str) -> Path:
    """Return the path of a certificate."""
    return directory / f"{name}.crt"


def key_path(directory: Path, name: str) -> Path:
    """Return the path of a private key."""
    return directory / f"{name}.key"


def make_authority(directory: Path) -> None:
    """Make the authority that signs certificates, unless the directory has one."""
    if certificate_path(directory, AUTHORITY).exists():
        return
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Countersign's Kafka")
    certificate = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    _write(directory, AUTHORITY, key, [certificate])


def make_certificate(directory: Path, name: str, hosts: Sequence[str] = ()) -> None:
    """Make a certificate that brokers and clients can use, unless the directory has it.

    Args:
        directory: The directory of the authority and of all certificates.
        name: The common name; Kafka's principal is ``User:CN=NAME``.
        hosts: The host names and addresses for which it is good as a broker's.

    """
    if certificate_path(directory, name).exists():
        return
    authority = x509.load_pem_x509_certificate(certificate_path(directory, AUTHORITY).read_bytes())
    signer = load_pem_private_key(key_path(directory, AUTHORITY).read_bytes(), None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        text = f"{key_path(directory, AUTHORITY)} is not the key of this authority"
        raise TypeError(text)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(name), authority.subject, key.public_key())
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(each) for each in hosts]), critical=False)
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_USAGES), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, SHA256())
    )
    _write(directory, name, key, [certificate])


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    at = now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _EARLIER)
        .not_valid_after(at + VALID)
    )


def _write(
    directory: Path, name: str, key: ec.EllipticCurvePrivateKey, certificates: Sequence[x509.Certificate]
) -> None:
    """Write the key before the certificate, whose presence means that both are there."""
    path = key_path(directory, name)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    draft = directory / f"{name}.crt.new"
    draft.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
    draft.replace(certificate_path(directory, name))


def main(
    directory: Annotated[Path, typer.Argument(help="Directory of the authority and the certificates.")],
    names: Annotated[list[str], typer.Argument(help="Names, each with a certificate: NAME, or NAME=HOST,HOST…")],
) -> None:
    """Make a certificate authority and certificates for Kafka's brokers and clients; keep what is there."""
    make_authority(directory)
    for each in names:
        name, _, hosts = each.partition("=")
        make_certificate(directory, name, [host for host in hosts.split(",") if host])


if __name__ == "__main__":
    typer.run(main)
