"""A read view answers only once it knows; what it does not know yet, it does not deny."""

import pytest
from aiokafka import ConsumerRecord

from services.common import views
from services.common.decisions import Row
from services.common.publisher import UnavailableError
from services.common.views import View


def a_record(key: str, row: Row) -> ConsumerRecord:
    """Return a changelog record."""
    value = row.model_dump_json().encode()
    return ConsumerRecord("changelog", 0, 0, 0, 0, key.encode(), value, None, len(key), len(value), ())


async def test_a_view_that_catches_up_denies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    view = View("nowhere:1", "changelog", Row)
    seen: list[Row | None] = []

    async def tail(
        _bootstrap: str, _topic: str, apply: object, *, on_caught_up: object, skip_astray: bool, **_: object
    ) -> None:
        assert skip_astray
        assert callable(apply)
        assert callable(on_caught_up)
        apply(a_record("alex", Row(epoch=1, version=1)))
        for key in ("alex", "nobody"):
            with pytest.raises(UnavailableError):
                view.get(key)
        on_caught_up()
        seen.extend(view.get(key) for key in ("alex", "nobody"))

    monkeypatch.setattr(views, "tail", tail)
    await view.run()
    assert seen == [Row(epoch=1, version=1), None]


async def test_a_stale_row_does_not_undo_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    view = View("nowhere:1", "changelog", Row)

    async def tail(
        _bootstrap: str, _topic: str, apply: object, *, on_caught_up: object, skip_astray: bool, **_: object
    ) -> None:
        assert skip_astray
        assert callable(apply)
        assert callable(on_caught_up)
        for row in (Row(epoch=2, version=7), Row(epoch=1, version=9), Row(epoch=2, version=6)):
            apply(a_record("alex", row))
        on_caught_up()
        assert (view.stale, view.delays) == (0, 0)  # they were there before
        apply(a_record("alex", Row(epoch=2, version=5)))
        apply(a_record("alex", Row(epoch=2, version=7)))
        assert (view.stale, view.delays) == (1, 2)
        assert view.get("alex") == Row(epoch=2, version=7)

    monkeypatch.setattr(views, "tail", tail)
    await view.run()
