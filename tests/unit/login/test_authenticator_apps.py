"""An authenticator app gets the same secret as a QR code, a URI and text."""

import base64
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET

import pyotp
import pytest

from protocol.verification_codes import code_at, step_at
from services.login.codes.authenticator_apps import new_secret, otpauth_uri, qr_code, secret_text

SECRET = bytes(range(20))


def test_secrets_are_20_random_bytes() -> None:
    assert len({new_secret() for _ in range(10)}) == 10
    assert {len(new_secret()) for _ in range(10)} == {20}


def test_the_secret_is_shown_as_base32_in_groups_of_four() -> None:
    text = secret_text(SECRET)
    assert re.fullmatch(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", text)
    assert base64.b32decode(text.replace(" ", "")) == SECRET


def test_an_app_derives_our_codes_from_the_uri() -> None:
    """The app is played by pyotp's own reader."""
    uri = otpauth_uri(SECRET, issuer="Account Manager", account_name="alex@example.org")
    app = pyotp.parse_uri(uri)
    assert isinstance(app, pyotp.TOTP)
    assert (app.issuer, app.name) == ("Account Manager", "alex@example.org")
    moment = datetime(2026, 3, 2, 9, 0, 17, tzinfo=UTC)
    assert app.at(moment) == code_at(SECRET, step_at(moment))


def test_the_uri_has_the_format_of_authenticator_apps() -> None:
    parts = urlsplit(otpauth_uri(SECRET, issuer="Account Manager", account_name="alex"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Account%20Manager:alex")
    assert parse_qs(parts.query) == {"secret": [base64.b32encode(SECRET).decode()], "issuer": ["Account Manager"]}
    assert "+" not in parts.query


@pytest.mark.parametrize("name", ["Zoë & Söhne", "a:b:c", "100% ?secret=x#y", "名" * 60])
def test_special_characters_in_a_name_cannot_change_the_uri(name: str) -> None:
    uri = otpauth_uri(SECRET, issuer=name, account_name=name)
    app = pyotp.parse_uri(uri)
    assert (app.issuer, app.name, app.secret) == (name.replace(":", ""),) * 2 + (base64.b32encode(SECRET).decode(),)
    assert unquote(urlsplit(uri).path).count(":") == 1
    assert qr_code(uri)


def test_the_qr_code_satisfies_the_content_security_policy() -> None:
    root = ET.fromstring(qr_code("otpauth://totp/a:b?secret=AAAA"))  # noqa: S314 - our own
    assert root.tag == "svg"
    assert {each.tag for each in root} == {"path"}
    for element in root.iter():
        assert not {"style", "href", "onload", "onclick"} & set(element.attrib)
    assert (root.get("class"), root.get("width")) == ("qr-code", None)
    assert root.get("viewBox")


def test_different_texts_have_different_qr_codes() -> None:
    assert qr_code("otpauth://totp/a:b?secret=AAAA") != qr_code("otpauth://totp/a:b?secret=AAAB")
