"""Builds e-mails (RFC 5322). The same event gives the same Message-ID, so mail programs recognise a repeat."""

from dataclasses import dataclass
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from protocol.encoding import digest
from schemas.codec import Event
from schemas.login_messages import EmailDue, EmailKind
from services.login.addresses import read_address
from services.login.emails.smtp import MailRejectedError
from services.login.emails.texts import one_line, subject_of, text_of
from services.login.pairing.enrolment_codes import EnrolmentCodes


@dataclass(frozen=True, slots=True)
class EmailBuilder:
    """Builds e-mails.

    Attributes:
        product: The product's name.
        url: Account Manager's URL.
        sender: The sender's address.
        codes: Makes the enrolment codes.

    """

    product: str
    url: str
    sender: str
    codes: EnrolmentCodes

    def build(self, event: Event[EmailDue]) -> EmailMessage:
        """Return the e-mail for an event.

        Raises:
            MailRejectedError: If the address is not valid, or an enrolment code's id is missing.

        """
        email = event.data
        sender = read_address(self.sender, one_line(self.product))
        message = EmailMessage()
        message["From"] = sender
        message["To"] = _recipient(email.address)
        message["Subject"] = subject_of(email.kind, self.product)
        message["Date"] = format_datetime(email.at.astimezone(UTC))
        message["Message-ID"] = f"<{digest(event.id.encode())}@{sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5: prevents automatic replies
        message.set_content(text_of(email, product=self.product, url=self.url, code=self._code(email)))
        return message

    def _code(self, email: EmailDue) -> str:
        if email.kind is not EmailKind.ENROLMENT_CODE:
            return ""
        if email.identifier is None:
            text = "the enrolment code's id is missing"
            raise MailRejectedError(text)
        return self.codes.code(email.account_id, email.identifier)


def _recipient(address: str) -> Address:
    try:
        return read_address(address)
    except ValueError as error:
        text = "the account's address is not an e-mail address"
        raise MailRejectedError(text) from error
