"""The client's address behind trusted proxies, and what does not fit them."""

from ipaddress import ip_address
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from services.common.settings import read_networks
from services.common.web.proxies import PROXIES, TOO_FEW, UNREADABLE, UNTRUSTED, Proxies, client_address, read_hop

PEER = "198.51.100.9"


def _request(header: str, networks: str = "", peer: str | None = PEER) -> web.Request:
    application = web.Application()
    application[PROXIES] = Proxies(read_networks(networks))
    headers = {"X-Forwarded-For": header} if header else {}
    transport: Any = Mock()
    transport.get_extra_info.side_effect = lambda name, default=None: (peer, 1) if name == "peername" else default
    return make_mocked_request("GET", "/", headers=headers, app=application, transport=transport)


def _seen(header: str, trusted: int, networks: str = "", peer: str | None = PEER) -> tuple[str, str]:
    request = _request(header, networks, peer)
    return client_address(request, trusted), request.app[PROXIES].mismatch


@pytest.mark.parametrize(
    ("header", "trusted", "address", "mismatch"),
    [
        ("", 0, PEER, ""),
        ("", 1, PEER, ""),
        ("192.0.2.1", 0, PEER, UNTRUSTED),
        ("192.0.2.1", 1, "192.0.2.1", ""),
        ("203.0.113.9, 192.0.2.1", 1, "192.0.2.1", ""),
        ("203.0.113.9, 192.0.2.1, 192.0.2.2", 2, "192.0.2.1", ""),
        ("192.0.2.1", 2, PEER, TOO_FEW),
        ("unknown", 1, PEER, UNREADABLE),
        ("192.0.2.1, unknown", 2, PEER, UNREADABLE),
        ("192.0.2.1, _hidden, 192.0.2.2", 3, "192.0.2.2", UNREADABLE),
        ("\u00e9", 1, PEER, UNREADABLE),
    ],
)
def test_the_address_is_the_one_that_trusted_proxies_append(
    header: str, trusted: int, address: str, mismatch: str
) -> None:
    assert _seen(header, trusted) == (address, mismatch)


@pytest.mark.parametrize(
    ("header", "trusted", "networks", "address", "mismatch"),
    [
        ("192.0.2.1", 0, "198.51.100.0/24", "192.0.2.1", ""),
        ("203.0.113.9, 192.0.2.1, 10.0.0.7", 0, "198.51.100.0/24, 10.0.0.0/8", "192.0.2.1", ""),
        ("192.0.2.1", 1, "10.0.0.0/8", PEER, UNTRUSTED),
        ("192.0.2.1, 10.0.0.7", 1, "198.51.100.0/24 10.0.0.0/8", "10.0.0.7", ""),
        ("192.0.2.1, 203.0.113.5", 2, "198.51.100.0/24", "203.0.113.5", ""),
        ("192.0.2.1", 2, "198.51.100.0/24", "192.0.2.1", ""),
    ],
)
def test_a_proxy_is_trusted_by_its_network_as_well(
    header: str, trusted: int, networks: str, address: str, mismatch: str
) -> None:
    assert _seen(header, trusted, networks) == (address, mismatch)


@pytest.mark.parametrize(
    ("hop", "address"),
    [
        ("203.0.113.8:50000", "203.0.113.8"),
        ("[2001:db8::7]:50000", "2001:db8::7"),
        ("[2001:DB8:0::7]", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:1", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ('"[::ffff:192.0.2.1]:9"', "192.0.2.1"),
    ],
)
def test_ports_brackets_and_zones_are_no_part_of_an_address(hop: str, address: str) -> None:
    assert _seen(hop, 1) == (address, "")
    assert _seen("", 0, peer=hop if hop.count(":") != 1 else PEER)[0] in {address, PEER}


@pytest.mark.parametrize(
    "hop", ["unknown", "_proxy", "192.0.2.1:port", "192.0.2.999", "192.0.2.1/24", "[192.0.2.1", "1"]
)
def test_what_is_no_address_is_none(hop: str) -> None:
    assert read_hop(hop) is None


@given(st.ip_addresses(), st.integers(0, 65535), st.sampled_from(["{0}", "[{0}]", "{0}:{1}", "[{0}]:{1}"]))
def test_an_address_is_the_same_in_each_form(address: Any, port: int, form: str) -> None:
    found = read_hop(form.format(address, port))
    plain = getattr(address, "ipv4_mapped", None) or address
    assert found == plain or (address.version == 6 and form == "{0}:{1}")


@given(st.text(max_size=80), st.integers(0, 3), st.sampled_from(["", "198.51.100.0/24"]))
def test_any_header_leads_to_an_address(header: str, trusted: int, networks: str) -> None:
    header = header.replace("\r", "").replace("\n", "").replace("\x00", "")
    address, _ = _seen(header, trusted, networks)
    assert str(ip_address(address)) == address


def test_a_mismatch_is_over_once_a_header_fits() -> None:
    proxies = Proxies()
    assert proxies.client_of(_request("192.0.2.1"), 2) == PEER
    assert proxies.mismatch == TOO_FEW
    proxies.client_of(_request("192.0.2.1, 192.0.2.2"), 2)
    assert proxies.mismatch == ""
