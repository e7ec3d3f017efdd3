"""A real mail server for tests, in this process: keeps what it takes, refuses what a test wants refused."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deploy.local.ports import free_port

HOST = "localhost"
USERNAME = "countersign"
PASSWORD = "the mail server's password"
HANG_UP_SECONDS = 10
HANG_UP_ROUNDS = 10


@dataclass
class PostOffice:
    """What a mail server took, and what it answers.

    Attributes:
        messages: What it took, in order.
        secured: Of each, whether it came over TLS.
        answers: What it says to the next recipients instead of OK, in order.

    """

    messages: list[EmailMessage] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or refuse it."""
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message."""
        content = envelope.content
        message = message_from_bytes(content if isinstance(content, bytes) else b"", policy=default)
        assert isinstance(message, EmailMessage)
        assert envelope.rcpt_tos == [message["To"].addresses[0].addr_spec]
        self.messages.append(message)
        self.secured.append(session.ssl is not None)
        return "250 OK"


@dataclass(frozen=True)
class Certificate:
    """A certificate of this machine that nobody else trusts.

    Attributes:
        path: Where it is.
        context: What a server uses it with.

    """

    path: Path
    context: ssl.SSLContext


def a_certificate(directory: Path) -> Certificate:
    """Make a certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    moment = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(hours=1))
        .not_valid_after(moment + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path, key_path = directory / "certificate.pem", directory / "key.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return Certificate(path, context)


@contextmanager
def a_mail_server(
    office: PostOffice | None = None,
    *,
    port: int | None = None,
    starttls: Certificate | None = None,
    tls: Certificate | None = None,
) -> Iterator[tuple[PostOffice, int]]:
    """Run a mail server.

    Args:
        office: Takes the messages; default a new one.
        port: Its port; default a free one.
        starttls: Offers STARTTLS with it, and takes nothing but from who signed in.
        tls: Speaks TLS from the first byte.

    Yields:
        The office, and the port.

    """
    office, port = office or PostOffice(), port or free_port()
    options: dict[str, Any] = {}
    if starttls:
        options = {"tls_context": starttls.context, "require_starttls": True, "auth_required": True}
    server = _Server(
        office,
        hostname="127.0.0.1",
        port=port,
        ssl_context=tls.context if tls else None,
        authenticator=_authenticate,
        **options,
    )
    server.start()
    try:
        yield office, port
    finally:
        asyncio.run_coroutine_threadsafe(server.hang_up(), server.loop).result(HANG_UP_SECONDS)
        server.stop()


class _Server(Controller):
    """A mail server that closes its connections before it stops, which aiosmtpd's leaves open."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._served: list[SMTP] = []
        super().__init__(*args, **options)

    def factory(self) -> SMTP:
        """Return what serves one connection."""
        made: SMTP = super().factory()  # type: ignore[no-untyped-call]
        self._served.append(made)
        return made

    async def hang_up(self) -> None:
        """Take no more connections, and close all that there are."""
        # asyncio of Python 3.11 leaves a connection open that it has taken, and not attached before the server closes.
        for _ in range(HANG_UP_ROUNDS):
            await asyncio.sleep(0)
        if self.server is not None:
            self.server.close()
        # What is aborted is closed in the loop's next round, and what a TLS connection stood on in the one after.
        for _ in range(HANG_UP_ROUNDS):
            for each in self._served:
                if isinstance(each.transport, asyncio.Transport):
                    # The first releases of Python 3.11 stumble over a TLS connection that is closed already.
                    with suppress(AttributeError):
                        each.transport.abort()
            await asyncio.sleep(0)


def _authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object) -> AuthResult:
    expected = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=given == expected, handled=False)
