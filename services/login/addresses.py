"""E-mail addresses, parsed and checked (RFC 5322 section 3.4.1)."""

from email.errors import MessageError
from email.headerregistry import Address
from typing import Final

LONGEST_ADDRESS: Final = 254
"""The longest address in a path of SMTP (RFC 5321 section 4.5.3.1.3), without the brackets."""


def read_address(text: str, display_name: str = "") -> Address:
    """Return a parsed address.

    Args:
        text: ``name@domain``; an international domain in its ASCII form (RFC 5890 section 2.3.2.1).
        display_name: The name beside the address in a header.

    Raises:
        ValueError: If the text is not an address, or is longer than SMTP allows.

    """
    reason = "it is not an e-mail address"
    if len(text) > LONGEST_ADDRESS or not (text.isascii() and text.isprintable()):
        raise ValueError(reason)
    try:
        address = Address(display_name, addr_spec=text)
    except (MessageError, ValueError, IndexError) as error:
        raise ValueError(reason) from error
    if not (address.username and address.domain) or " " in text:
        raise ValueError(reason)
    return address
