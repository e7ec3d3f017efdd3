"""Addresses count by network."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.throttle import PauseLimits
from services.common.web.network_throttles import NetworkThrottles
from services.common.web.networks import network_of
from tests.builders import after


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:1::7", "2001:db8:1:1::/64"),
        ("2001:DB8:1:1:2:3:4:5", "2001:db8:1:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_a_network_of_its_own_however_it_is_written(address: ipaddress.IPv4Address) -> None:
    assert network_of(str(address)) == network_of(f"::ffff:{address}") == str(address)


@given(st.ip_addresses(v=6, network="2001:db8:1:1::/64"), st.ip_addresses(v=6, network="2001:db8:1:2::/64"))
def test_the_addresses_of_a_subscriber_are_one_network(
    address: ipaddress.IPv6Address, other: ipaddress.IPv6Address
) -> None:
    assert network_of(str(address)) == network_of(address.exploded) == "2001:db8:1:1::/64"
    assert network_of(str(other)) != network_of(str(address))


LIMITS = PauseLimits(tries=3, pause_seconds=60, longest_pause_seconds=240, forget_after_seconds=10)


def test_each_network_has_its_own_tries() -> None:
    throttles = NetworkThrottles(LIMITS)
    assert [throttles.count("one", after()) for _ in range(5)] == [None, None, None, after(60), after(60)]
    assert throttles.count("two", after()) is None
    assert throttles.count("one", after(60)) is None


def test_so_many_networks_are_remembered() -> None:
    throttles = NetworkThrottles(LIMITS, most_networks=2)
    for _ in range(4):
        throttles.count("one", after())
    throttles.count("two", after())
    throttles.count("one", after())
    throttles.count("three", after())
    assert throttles.count("one", after()) == after(60)
    throttles.count("two", after())
    throttles.count("three", after())
    assert throttles.count("one", after()) is None
