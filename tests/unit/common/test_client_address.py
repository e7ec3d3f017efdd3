"""The client's address behind trusted proxies."""

import pytest
from aiohttp.test_utils import make_mocked_request

from services.common.web.web import client_address


@pytest.mark.parametrize(
    ("header", "trusted_proxies", "address"),
    [
        ("192.0.2.1", 0, "unknown"),
        ("192.0.2.1", 1, "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1", 1, "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1, 192.0.2.2", 2, "192.0.2.1"),
        ("192.0.2.1", 2, "unknown"),
        ("", 1, "unknown"),
        ("\u00e9", 1, "unknown"),
    ],
)
def test_the_address_is_the_one_that_trusted_proxies_append(header: str, trusted_proxies: int, address: str) -> None:
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": header})
    assert client_address(request, trusted_proxies) == address
