"""The trace that follows a login: continued where it is well-formed, begun where it is not."""

import pytest

from services.common.telemetry.tracing import continue_trace, current_traceparent, new_traceparent, trace_id

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
"""The example of W3C Trace Context, section 3.2.3."""


def test_a_trace_is_continued() -> None:
    assert continue_trace(GIVEN) == GIVEN
    assert current_traceparent() == GIVEN
    assert trace_id(GIVEN) == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "",
        "nonsense",
        GIVEN.upper(),
        GIVEN + "\n",
        GIVEN + "-more",
        GIVEN[:-1],
        "ff" + GIVEN[2:],
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
    ],
)
def test_a_malformed_trace_is_replaced_by_a_new_one(malformed: str | None) -> None:
    begun = continue_trace(malformed)
    assert begun != malformed
    assert current_traceparent() == begun
    assert len(trace_id(begun)) == 32
    assert trace_id(malformed or "") == ""


def test_each_trace_is_another_one() -> None:
    assert len({trace_id(new_traceparent()) for _ in range(100)}) == 100
