"""The pictures of the import graph match the code, without transitive arrows."""

from graphlib import CycleError

import pytest

from tests.component.import_graph import FILE, drawn, reduced


def test_the_pictures_show_what_the_code_imports() -> None:
    text = FILE.read_text()
    assert "services/login --> services/common" in text
    assert drawn(text) == text, "run `make imports`"


def test_a_changed_picture_is_noticed() -> None:
    text = FILE.read_text()
    assert drawn(text.replace("    protocol --> schemas\n", "")) == text


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    arrows = {"a": {"b", "c", "d"}, "b": {"c"}, "c": {"d"}, "d": set[str]()}
    assert reduced(arrows) == {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": set()}


def test_a_circle_is_refused() -> None:
    with pytest.raises(CycleError):
        reduced({"a": {"b"}, "b": {"a"}})
