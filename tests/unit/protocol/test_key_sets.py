"""The published key set of a service."""

import json

import pytest

from protocol.jose import thumbprints_of
from tests.unit.protocol.builders import DEVICE, SERVICE


def test_key_set_thumbprints_are_computed() -> None:
    keys = [
        {**DEVICE.public.jwk, "kid": "a-name-of-its-own"},
        SERVICE.public.jwk,
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {**DEVICE.public.jwk, "x": "AAAA"},
        "junk",
    ]
    expected = {DEVICE.public.thumbprint, SERVICE.public.thumbprint}
    assert thumbprints_of(json.dumps({"keys": keys}).encode()) == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": 1}', b"\xff", b"[" * 5000])
def test_malformed_key_set_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="JWK set"):
        thumbprints_of(body)
