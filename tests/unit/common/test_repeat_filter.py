"""A message that a library repeats is logged once in a while, with the number of repeats."""

import logging

from services.common.telemetry.logs import MAX_KNOWN_MESSAGES, REPEAT_SECONDS, RepeatFilter


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now


def logged(repeats: RepeatFilter, name: str, text: str, *arguments: object) -> str | None:
    record = logging.LogRecord(name, logging.ERROR, "", 0, text, arguments, None)
    return record.getMessage() if repeats.filter(record) else None


def test_a_repeated_message_is_left_out_for_a_while_and_then_counted() -> None:
    clock = Clock()
    repeats = RepeatFilter(("aiokafka",), clock)
    assert logged(repeats, "aiokafka.client", "no node %s", 1) == "no node 1"
    assert [logged(repeats, "aiokafka.client", "no node %s", number) for number in range(3)] == [None] * 3
    assert logged(repeats, "aiokafka.client", "another message") == "another message"
    clock.now += REPEAT_SECONDS
    assert logged(repeats, "aiokafka.client", "no node %s", 2) == "no node 2 (and 3 like this before it)"
    clock.now += REPEAT_SECONDS
    assert logged(repeats, "aiokafka.client", "no node %s", 2) == "no node 2"


def test_our_own_messages_are_never_left_out() -> None:
    repeats = RepeatFilter(("aiokafka",), Clock())
    assert [logged(repeats, "services.login", "decided") for _ in range(3)] == ["decided"] * 3


def test_a_percent_sign_in_an_argument_is_no_place_for_arguments() -> None:
    clock = Clock()
    repeats = RepeatFilter(("aiokafka",), clock)
    logged(repeats, "aiokafka", "%s full", "80 %s")
    logged(repeats, "aiokafka", "%s full", "80 %s")
    clock.now += REPEAT_SECONDS
    assert logged(repeats, "aiokafka", "%s full", "80 %s") == "80 %s full (and 1 like this before it)"


def test_the_memory_of_messages_is_bounded() -> None:
    repeats = RepeatFilter(("aiokafka",), Clock())
    for number in range(3 * MAX_KNOWN_MESSAGES):
        assert logged(repeats, "aiokafka", f"message {number}") is not None
    assert len(repeats._known) <= MAX_KNOWN_MESSAGES  # noqa: SLF001 - what is bounded cannot be seen from outside
