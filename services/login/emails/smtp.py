"""E-mail for people, handed to the mail server that the settings name (SMTP, RFC 5321), by aiosmtplib."""

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

ANSWER_SECONDS: Final = 20.0
"""How long the server may take for each answer."""
WHOLE_SECONDS: Final = 60.0
"""How long it may take for all of one message."""
_POSTPONED: Final = range(400, 500)
_REFUSED: Final = range(500, 600)
_CLOSING: Final = 421
"""The server is about to go away (RFC 5321 section 4.2.3)."""
_REASON_CHARACTERS: Final = 200


class MailError(Exception):
    """A message that was not sent; its text says why, for operators."""


class ServerError(MailError):
    """The server takes nothing from us now: it is away, or does not accept us. No message is at fault."""


class PostponedError(MailError):
    """The server does not take this message now, and may take it later (RFC 5321 section 4.2.1, 4yz)."""


class MailRejectedError(MailError):
    """The server does not take this message (RFC 5321 section 4.2.1, 5yz), or it cannot be sent at all."""


class MailServer:
    """The mail server, with one connection for each message: there are few, and far between."""

    def __init__(self, settings: LoginSettings) -> None:
        self._settings = settings
        self._tls = None if settings.smtp_security == "none" else ssl.create_default_context()

    async def send(self, message: EmailMessage) -> None:
        """Hand a message to the server. Once this returns, the server answers for it.

        Raises:
            ServerError: If the server is away or does not accept us.
            PostponedError: If it asks to try again later.
            RefusedError: If it does not take the message.

        """
        client = self._client()
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                await client.connect()
                await client.send_message(message)
            with suppress(SMTPException, OSError):  # the server has the message, however we part
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
            timeout=ANSWER_SECONDS,
        )


def _classify(error: Exception, recipient: str) -> MailError:
    """Say whose fault it is, and whether it may pass; servers like to repeat the address, which no log shall show."""
    told = _tell(error)
    reason = str(told).replace(recipient, "the address")[:_REASON_CHARACTERS]
    return type(told)("".join(each if each.isprintable() else " " for each in reason))


def _tell(error: Exception) -> MailError:
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


def _by_code(code: int, said: str) -> MailError:
    text = f"{code} {said}"
    if code in _REFUSED:
        return MailRejectedError(text)
    return PostponedError(text) if code in _POSTPONED and code != _CLOSING else ServerError(text)
