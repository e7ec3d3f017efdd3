"""Hands e-mails to the mail server (SMTP, RFC 5321), by aiosmtplib."""

import asyncio
import ssl
from contextlib import suppress
from email.message import EmailMessage
from typing import Final

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from services.login.settings import LoginSettings

REPLY_SECONDS: Final = 20.0
"""The longest wait for one reply of the server."""
MESSAGE_SECONDS: Final = 60.0
"""The longest time for a whole message."""
_POSTPONED: Final = range(400, 500)
_REJECTED: Final = range(500, 600)
_CLOSING: Final = 421
"""The server closes the connection (RFC 5321 section 4.2.3)."""
_REASON_CHARACTERS: Final = 200


class MailError(Exception):
    """A message was not sent; the text says why, for operators."""


class ServerError(MailError):
    """The server is unavailable, or rejects the connection or the credentials."""


class PostponedError(MailError):
    """The server postpones the message (RFC 5321 section 4.2.1, 4yz)."""


class MailRejectedError(MailError):
    """The server rejects the message (RFC 5321 section 4.2.1, 5yz), or the message cannot be sent at all."""


class MailServer:
    """The mail server. Messages are rare, so each has its own connection."""

    def __init__(self, settings: LoginSettings) -> None:
        self._settings = settings
        self._tls = None if settings.smtp_security == "none" else ssl.create_default_context()

    async def send(self, message: EmailMessage) -> None:
        """Hand a message to the server, which is then responsible for it.

        Raises:
            ServerError: If the server is unavailable, or rejects the connection or the credentials.
            PostponedError: If the server postpones the message.
            MailRejectedError: If the server rejects the message.

        """
        client = self._client()
        try:
            async with asyncio.timeout(MESSAGE_SECONDS):
                await client.connect()
                await client.send_message(message)
            with suppress(SMTPException, OSError):  # the server has accepted the message
                await client.quit()
        except (SMTPException, OSError, ValueError) as error:
            raise _classify(error, str(message["To"])) from error
        finally:
            client.close()

    def _client(self) -> SMTP:
        settings = self._settings
        return SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username or None,
            password=settings.smtp_password.get_secret_value() if settings.smtp_username else None,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            tls_context=self._tls,
            timeout=REPLY_SECONDS,
        )


def _classify(error: Exception, recipient: str) -> MailError:
    """Return the error for operators, without the recipient's address, which servers repeat in their replies."""
    mail_error = _mail_error(error)
    reason = str(mail_error).replace(recipient, "the address")[:_REASON_CHARACTERS]
    return type(mail_error)("".join(each if each.isprintable() else " " for each in reason))


def _mail_error(error: Exception) -> MailError:
    match error:
        case SMTPRecipientsRefused():
            return _by_code(error.recipients[0].code, error.recipients[0].message)
        case SMTPAuthenticationError() | SMTPSenderRefused() | ConnectionError():
            return ServerError(str(error))
        case SMTPResponseException():
            return _by_code(error.code, error.message)
        case SMTPNotSupported():
            return MailRejectedError(str(error))
        case OSError():
            return ServerError(f"{type(error).__name__}: {error}")
        case _:
            return MailRejectedError(f"{type(error).__name__}: {error}")


def _by_code(code: int, message: str) -> MailError:
    text = f"{code} {message}"
    if code in _REJECTED:
        return MailRejectedError(text)
    return PostponedError(text) if code in _POSTPONED and code != _CLOSING else ServerError(text)
