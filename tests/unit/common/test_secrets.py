"""Log lines contain no secrets.

No password, phrase, token or key ever gets into a message or a row; a repr or an error text shows no password hash.
"""

from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.base import Message
from schemas.codec import TYPES, encode
from services.common.decisions import Row
from services.common.rows.codec import read_row, write_row
from services.login.domain.account import Account
from services.login.domain.guesses import Guesses
from services.login.domain.names import Name
from services.pairing.domain.phrase import Phrase
from services.pairing.domain.requester import Requester
from services.push.domain.channel import Channel
from tests.builders import (
    NUMBER_KEY,
    SEAL_KEY,
    a_digest,
    a_key,
    a_login,
    an_account,
    an_app,
    an_event,
    pairing_policy,
    policy,
    recovery_codes,
)
from tests.messages import a_recovery_code, a_sign_in
from tests.session_messages import a_creation, a_password_change, an_app_added, an_opening, new_recovery_codes

HASH = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"
HOLDERS = [
    a_creation(password_hash=HASH),
    an_opening(password_hash=HASH),
    a_sign_in(password_hash=HASH),
    a_password_change(old_password_hash=HASH),
    a_password_change(password_hash=HASH),
    an_account(password_hash=HASH),
]
SEALED = "what the key ring sealed"
CODE = a_digest("code 1")
CODE_HOLDERS = [
    an_app_added(sealed_secret=SEALED),
    an_account(apps=(an_app(sealed_secret=SEALED),)),
    a_recovery_code(),
    new_recovery_codes(),
    an_account(recovery=recovery_codes("code 1")),
]
SECRET_NAMES = {"password", "phrase", "token", "secret", "seed", "code", "cookie", "private_key"}


ROWS = (Account, Name, Guesses, Requester, Phrase, Channel)


def _written(holder: Message | Row) -> str:
    return holder.model_dump_json() if isinstance(holder, Message) else write_row(holder).decode()


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
def test_a_password_hash_is_in_no_repr(holder: Message | Row) -> None:
    assert HASH not in repr(holder)
    assert HASH not in str(holder)
    assert HASH in _written(holder)


@pytest.mark.parametrize("holder", CODE_HOLDERS, ids=lambda holder: type(holder).__name__)
def test_neither_a_sealed_secret_nor_the_hash_of_a_recovery_code_is_in_a_repr(holder: Message | Row) -> None:
    assert (SEALED in _written(holder)) is not (CODE in _written(holder))
    assert SEALED not in repr(holder)
    assert CODE not in repr(holder)


def test_a_password_hash_is_in_no_repr_of_what_carries_a_message() -> None:
    event = an_event(a_creation(password_hash=HASH))
    assert HASH not in repr(event)
    assert HASH not in repr(encode(event))


def test_the_text_of_a_failed_check_holds_nothing_of_what_was_checked() -> None:
    unfinished = f'{{"password_hash": "{HASH}", "at": "hunter2"'
    for broken in (f"{unfinished}}}", unfinished):
        with pytest.raises(ValidationError) as caught:
            _ = read_row(Account, broken)
        assert HASH not in str(caught.value)
        assert "hunter2" not in str(caught.value)


def test_a_policy_shows_no_key() -> None:
    for each in (policy(), pairing_policy()):
        assert repr(SEAL_KEY) not in repr(each)
        assert repr(NUMBER_KEY) not in repr(each)
        for service in ("login service", "pairing service"):
            assert a_key(service).to_jwk()["d"] not in repr(each)
    assert a_key("phone").to_jwk()["d"] not in repr(a_key("phone"))


def _fields(model: Any) -> set[str]:
    return {each.name for each in fields(model)} if is_dataclass(model) else set(model.model_fields)


@pytest.mark.parametrize("model", [*TYPES.values(), *ROWS], ids=lambda model: model.__name__)
def test_no_field_is_for_a_secret(model: type) -> None:
    assert _fields(model).isdisjoint(SECRET_NAMES)


def test_a_login_and_a_session_are_known_by_digests_alone() -> None:
    digests = {name for name in _fields(type(a_login())) if name.endswith("_digest")}
    assert digests == {"login_digest", "session_digest", "browser_digest", "remember_digest"}
    for name in digests:
        with pytest.raises(ValidationError):
            a_login(**{name: "a token, or anything else that is not 43 characters of base64url"})


def test_every_row_is_checked_here() -> None:
    rows = {row.__name__ for row in Row.__subclasses__() if row.__module__.startswith("services.")}
    assert rows == {each.__name__ for each in ROWS}
