"""What a newer release wrote into a row survives the decisions of this one, wherever in the row it stands."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.common.rows.codec import read_row, write_row
from services.login.domain.account import Account, Push
from services.login.domain.history import HistoryKind
from services.push.domain.channel import Channel
from tests.builders import (
    a_browser,
    a_device,
    a_login,
    a_phone,
    a_remembered_browser,
    a_session,
    after,
    an_account,
    an_app,
    denied,
    recovery_codes,
)

NEW = {"of": ["tomorrow", 1]}


def _rich() -> Account:
    account = replace(
        an_account(),
        devices=(a_device(), a_device(a_phone("Fairphone 5"), pairing_id="pairing-2")),
        apps=(an_app(),),
        recovery=recovery_codes("code 1", "code 2"),
        logins=(a_login(login_id="login-1"), a_login(login_id="login-2")),
        sessions=(a_session(), a_session("another")),
        remembered=(a_remembered_browser(),),
        push=Push(denials=denied(4, after(-60))),
    )
    return account.with_history(HistoryKind.INVITED, after(), browser=a_browser()).settled()


def _data(account: Account) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(write_row(account))
    return data


def _objects(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the paths of all objects in JSON data."""
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    found = [each for step, value in steps for each in _objects(value, (*path, step))]
    return [path, *found] if isinstance(data, dict) else found


def _at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def _read(data: Any) -> Account:
    return read_row(Account, json.dumps(data))


@pytest.mark.parametrize("path", _objects(_data(_rich())), ids=str)
def test_an_unknown_field_is_written_again(path: tuple[str | int, ...]) -> None:
    data = _data(_rich())
    _at(data, path)["of_tomorrow"] = NEW
    row = _read(data)
    assert replace(row, unknown=()) == _rich()
    assert json.loads(write_row(row)) == data


@given(st.sets(st.sampled_from(_objects(_data(_rich())))))
def test_any_unknown_fields_are_written_again_after_a_decision(paths: set[tuple[str | int, ...]]) -> None:
    data = _data(_rich())
    for path in paths:
        _at(data, path)["of_tomorrow"] = [*path]
    changed = _read(data).with_history(HistoryKind.METHODS_RESET, after(9))
    written = _data(changed)
    assert all(_at(written, path).get("of_tomorrow") == [*path] for path in paths)
    assert _data(replace(changed, unknown=())) == _data(_rich().with_history(HistoryKind.METHODS_RESET, after(9)))


def test_an_unknown_field_follows_its_entry_when_others_go_or_it_changes() -> None:
    data = _data(_rich())
    data["sessions"][1]["of_tomorrow"] = NEW
    row = _read(data)
    moved = replace(row, sessions=(replace(row.sessions[1], confirmed_at=after(99)),))
    (session,) = _data(moved)["sessions"]
    assert session["of_tomorrow"] == NEW
    assert session["confirmed_at"] == after(99).isoformat().replace("+00:00", "Z")


def test_an_unknown_field_goes_with_its_entry() -> None:
    data = _data(_rich())
    data["sessions"][1]["of_tomorrow"] = NEW
    row = _read(data)
    assert _data(replace(row, sessions=row.sessions[:1])) == _data(replace(_rich(), sessions=_rich().sessions[:1]))


@pytest.mark.parametrize(
    ("name", "index", "field"),
    [("devices", 0, "device_id"), ("logins", 0, "state"), ("logins", 1, "kind"), ("sessions", 1, "method")],
)
def test_an_entry_with_an_unknown_word_is_left_out_and_written_again(name: str, index: int, field: str) -> None:
    data = _data(_rich())
    data[name][index][field] = "of_tomorrow"
    row = _read(data)
    assert len(getattr(row, name)) == len(data[name]) - 1
    assert json.loads(write_row(row)) == data


def test_several_unknown_words_and_fields_are_written_again() -> None:
    data = _data(_rich())
    for each in data["sessions"]:
        each["method"] = "of_tomorrow"
    data["logins"][1]["state"] = "of_tomorrow"
    data["logins"][0]["of_tomorrow"] = NEW
    assert json.loads(write_row(_read(data))) == data


def test_a_row_that_is_wrong_elsewhere_is_refused() -> None:
    for field, value in (("account_id", 7), ("created_at", "of tomorrow"), ("sessions", {})):
        with pytest.raises(ValidationError):
            _read({**_data(_rich()), field: value})
    with pytest.raises(ValidationError):
        read_row(Channel, b'{"of_tomorrow": 1}')
