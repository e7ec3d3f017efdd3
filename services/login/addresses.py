"""E-mail addresses: read, or refused for what they are not (RFC 5322 section 3.4.1)."""

from email.errors import MessageError
from email.headerregistry import Address
from typing import Final

LONGEST_ADDRESS: Final = 254
"""As much as fits a path of SMTP (RFC 5321 section 4.5.3.1.3), its brackets aside."""


def read_address(text: str, display_name: str = "") -> Address:
    """Return an address in its parts.

    Args:
        text: The address, as ``name@domain``; an international domain in its ASCII form (RFC 5890 section 2.3.2.1).
        display_name: What stands beside it in a header.

    Raises:
        ValueError: If it is none, or longer than any mail server takes.

    """
    refusal = "it is not an e-mail address"
    if len(text) > LONGEST_ADDRESS or not (text.isascii() and text.isprintable()):
        raise ValueError(refusal)
    try:
        address = Address(display_name, addr_spec=text)
    except (MessageError, ValueError, IndexError) as error:
        raise ValueError(refusal) from error
    if not (address.username and address.domain) or " " in text:
        raise ValueError(refusal)
    return address
