"""The client's address behind trusted proxies, by X-Forwarded-For, which is read from its end.

Its entries have many forms; RFC 7239 section 6 has those of addresses, ports and what stands for none.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)
FORWARDED_FOR: Final = "X-Forwarded-For"
MOST_HOPS: Final = 20
NO_ADDRESS: Final = "unknown"
UNTRUSTED: Final = "X-Forwarded-For arrives from what is no trusted proxy: all its clients share one address"
TOO_FEW: Final = "X-Forwarded-For names fewer clients than there are trusted proxies: all of them share one address"
UNREADABLE: Final = "a trusted proxy names no address in X-Forwarded-For: all its clients share one address"
_BRACKETED: Final = re.compile(r"\[([^\]]*)\](?::\d{1,5})?")
_WITH_PORT: Final = re.compile(r"([0-9.]+):\d{1,5}")
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Proxies:
    """The proxies that may append their client to X-Forwarded-For.

    Attributes:
        mismatch: Why the last header that came does not fit them; empty if it fits.

    """

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        """Take the networks that they are in; none means anywhere."""
        self._networks = tuple(networks)
        self._logged: set[str] = set()
        self.mismatch = ""

    def client_of(self, request: web.Request, most: int) -> str:
        """Return the address of a request's client in its canonical form, or ``unknown``.

        Args:
            request: The request.
            most: The number of proxies that are passed; 0 passes none, or all that are in the networks.

        """
        peer = read_hop(request.remote or "")
        values = ",".join(request.headers.getall(FORWARDED_FOR, ()))
        hops = [hop for hop in values.split(",") if hop.strip()][-MOST_HOPS:]
        found, passed, mismatch = peer, 0, ""
        while passed < len(hops) and self._trusts(found, passed, most):
            client = read_hop(hops[-1 - passed])
            if client is None:
                mismatch = UNREADABLE
                break
            found, passed = client, passed + 1
        if hops and not passed and not mismatch:
            mismatch = UNTRUSTED
        elif hops and passed == len(hops) < most and not self._networks:
            # Else a client that reaches a nearer proxy would choose its address itself.
            found, mismatch = peer, TOO_FEW
        if hops:
            self._note(mismatch, request.remote)
        return NO_ADDRESS if found is None else str(found)

    def _trusts(self, address: Address | None, passed: int, most: int) -> bool:
        """Tell whether an address is that of a trusted proxy, after so many that were passed."""
        if most and passed >= most:
            return False
        if not self._networks:
            return most > 0
        return address is not None and any(address in each for each in self._networks)

    def _note(self, mismatch: str, peer: str | None) -> None:
        """Log each kind of mismatch once."""
        self.mismatch = mismatch
        if mismatch and mismatch not in self._logged:
            self._logged.add(mismatch)
            log.warning("proxies do not fit TRUSTED_PROXIES and TRUSTED_NETWORKS", reason=mismatch, peer=peer)


PROXIES: Final = web.AppKey("proxies", Proxies)


def client_address(request: web.Request, trusted_proxies: int) -> str:
    """Return the address of a request's client, behind a number of trusted proxies; see `Proxies`."""
    return request.app.get(PROXIES, Proxies()).client_of(request, trusted_proxies)


def read_hop(text: str) -> Address | None:
    """Return the address in one entry of X-Forwarded-For, without port, brackets and zone; None if there is none.

    An IPv4-mapped address is its IPv4 address.
    """
    bare = text.strip().strip('"')
    for form in (_BRACKETED, _WITH_PORT):
        found = form.fullmatch(bare)
        bare = bare if found is None else found[1]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
