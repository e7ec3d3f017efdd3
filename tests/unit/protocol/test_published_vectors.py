"""Keys, thumbprints and signatures are those that the RFCs publish."""

import hashlib
import json

import pytest
from joserfc.jwk import ECKey, RSAKey

from protocol.encoding import decode_base64url, digest, encode_base64url, keyed_digest
from protocol.jose import PublicKey, _DeterministicES256, read_header, verify_embedded
from tests.unit.protocol.builders import DEVICE, SERVICE

RFC_7515_A3 = (
    "eyJhbGciOiJFUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
RFC_9449_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rsc"
    "EJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
    ".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaW"
    "F0IjoxNTYyMjYyNjE2fQ"
    ".2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)

RFC_7638_31_MODULUS = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
    "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
    "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
    "nqDKgw"
)


def test_example_signature_of_rfc_7515_appendix_a3_verifies() -> None:
    payload = DEVICE.public.verify(RFC_7515_A3)
    assert json.loads(payload) == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}


def test_thumbprint_of_another_kind_of_key_is_the_published_one_of_rfc_7638_section_31() -> None:
    """Its example is an RSA key: the canonical text and its digest are made by the same code as for ours."""
    text = f'{{"e":"AQAB","kty":"RSA","n":"{RFC_7638_31_MODULUS}"}}'
    published = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    more = {**json.loads(text), "alg": "RS256", "kid": "2011-04-29"}
    assert digest(text.encode()) == published
    assert RSAKey.import_key(more).thumbprint() == published


def test_thumbprint_is_the_published_one_of_rfc_9449_section_6() -> None:
    header, key, _ = verify_embedded(RFC_9449_PROOF, "dpop+jwt")
    assert read_header(RFC_9449_PROOF) == header
    assert key.thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


@pytest.mark.parametrize("key", [DEVICE, SERVICE])
def test_thumbprint_is_the_digest_of_the_four_members_in_order(key: object) -> None:
    assert isinstance(key, type(DEVICE))
    jwk = key.public.jwk
    text = f'{{"crv":"P-256","kty":"EC","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    assert key.public.thumbprint == encode_base64url(hashlib.sha256(text.encode()).digest())


def test_thumbprint_ignores_what_else_a_key_says() -> None:
    more = {**DEVICE.public.jwk, "kid": "1", "use": "sig", "alg": "ES256"}
    assert PublicKey.from_jwk(more).thumbprint == DEVICE.public.thumbprint


@pytest.mark.parametrize(
    ("message", "r", "s"),
    [
        (
            "sample",
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        ),
        (
            "test",
            "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
            "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
        ),
    ],
)
def test_signatures_are_the_deterministic_ones_of_rfc_6979_appendix_a25(message: str, r: str, s: str) -> None:
    numbers = {
        "d": "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "x": "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
        "y": "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
    }
    jwk = {name: encode_base64url(bytes.fromhex(number)) for name, number in numbers.items()}
    key = ECKey.import_key({"kty": "EC", "crv": "P-256", **jwk})
    signature = _DeterministicES256("ES256", "P-256", 256).sign(message.encode(), key)
    assert signature.hex().upper() == r + s


def test_base64url_is_that_of_rfc_7515_appendix_c() -> None:
    assert encode_base64url(bytes([3, 236, 255, 224, 193])) == "A-z_4ME"
    assert decode_base64url("A-z_4ME") == bytes([3, 236, 255, 224, 193])


def test_keyed_digest_is_the_hmac_of_rfc_4231_section_43() -> None:
    expected = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    assert keyed_digest(b"Jefe", b"what do ya want for nothing?") == encode_base64url(expected)


@pytest.mark.parametrize(
    ("data", "text"), [(b"", ""), (b"\x00", "AA"), (b"\x00\x00", "AAA"), (b"\x00\x00\x17", "AAAX")]
)
def test_base64url_leaves_padding_out_and_nothing_else(data: bytes, text: str) -> None:
    assert encode_base64url(data) == text
    assert decode_base64url(text) == data
