"""What a library says again and again is said once in a while, with how often."""

import logging

from services.common.telemetry.log_repeats import MOST_KNOWN, QUIET_SECONDS, Repeats


class Clock:
    """A clock that is set."""

    now = 100.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now


def said(repeats: Repeats, name: str, text: str, *arguments: object) -> str | None:
    record = logging.LogRecord(name, logging.ERROR, "", 0, text, arguments, None)
    return record.getMessage() if repeats.filter(record) else None


def test_a_repeated_message_is_left_out_for_a_while_and_then_counted() -> None:
    clock = Clock()
    repeats = Repeats(("aiokafka",), clock)
    assert said(repeats, "aiokafka.client", "no node %s", 1) == "no node 1"
    assert [said(repeats, "aiokafka.client", "no node %s", number) for number in range(3)] == [None] * 3
    assert said(repeats, "aiokafka.client", "another message") == "another message"
    clock.now += QUIET_SECONDS
    assert said(repeats, "aiokafka.client", "no node %s", 2) == "no node 2 (and 3 like this before it)"
    clock.now += QUIET_SECONDS
    assert said(repeats, "aiokafka.client", "no node %s", 2) == "no node 2"


def test_what_we_say_ourselves_is_never_left_out() -> None:
    repeats = Repeats(("aiokafka",), Clock())
    assert [said(repeats, "services.login", "decided") for _ in range(3)] == ["decided"] * 3


def test_a_sign_of_percent_in_what_was_said_is_no_place_for_arguments() -> None:
    clock = Clock()
    repeats = Repeats(("aiokafka",), clock)
    said(repeats, "aiokafka", "%s full", "80 %s")
    said(repeats, "aiokafka", "%s full", "80 %s")
    clock.now += QUIET_SECONDS
    assert said(repeats, "aiokafka", "%s full", "80 %s") == "80 %s full (and 1 like this before it)"


def test_it_does_not_grow_without_end() -> None:
    repeats = Repeats(("aiokafka",), Clock())
    for number in range(3 * MOST_KNOWN):
        assert said(repeats, "aiokafka", f"message {number}") is not None
    assert len(repeats._known) <= MOST_KNOWN  # noqa: SLF001 - what is bounded cannot be seen from outside
