"""The network that an address is counted by: limits for strangers count networks, not addresses.

A subscriber of IPv6 has a /64 at least (RFC 6177, section 2), so each of 2^64 addresses would else have its own limit.
"""

import ipaddress
from typing import Final

SUBSCRIBER_BITS: Final = 64


def network_of(address: str) -> str:
    """Return the network of an address: an IPv4 address itself, the /64 of an IPv6 address.

    An IPv4-mapped address is its IPv4 address. A text that is no address is a network of its own.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), SUBSCRIBER_BITS), strict=False))
