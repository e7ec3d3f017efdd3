"""A script of honest actions at random: the same script acts the same in any world whose rows are the same."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Final

from hypothesis import strategies as st

from schemas.contract import Verdict
from services.pairing.domain.phrase import Phrase, PhraseState
from tests.unit.flow.people import NAMES, PHONES, PHRASES, SELDOM, People, choose
from tests.unit.flow.world import PHRASES as PHRASES_TABLE
from tests.unit.flow.world import World

PAUSES: Final = (1, 10, 61, 121)
VERDICTS: Final = (Verdict.APPROVE, Verdict.APPROVE, Verdict.DENY, Verdict.REPORT)
Action = tuple[str, int, int, int]


def _enter_phrase(people: People, first: int, second: int, third: int) -> None:
    """Enter a phrase that some phone shows, mostly still.

    Never one that none ever showed: what was unknown once may be known when a request for it comes again.
    """
    rows: dict[str, Phrase] = people.world.rows(PHRASES_TABLE)
    fresh = [phrase for phrase, row in rows.items() if row.state is PhraseState.ISSUED]
    if phrase := choose(fresh if fresh and third % SELDOM else list(rows), third):
        people.enter_phrase(NAMES[first % 2], second, phrase)


def _answer(people: People, first: int, second: int, third: int) -> None:
    """Answer on a phone that shows something."""
    if phone := choose([phone for phone in PHONES if people.shown(phone)], first):
        people.answer(phone, second, VERDICTS[third % len(VERDICTS)])


ACTIONS: Final[Mapping[str, Callable[[People, int, int, int], None]]] = MappingProxyType(
    {
        "sign in": lambda people, first, _second, _third: people.sign_in(NAMES[first % 2]),
        "mistype": lambda people, first, _second, _third: people.mistype(NAMES[first % 2]),
        "open app": lambda people, first, _second, _third: people.open_app(PHONES[first % 3]),
        "ask for phrase": lambda people, first, second, _third: people.ask_for_phrase(
            PHONES[first % 3], PHRASES[second % 3]
        ),
        "enter phrase": _enter_phrase,
        "ask phone": lambda people, first, second, _third: people.ask_phone(NAMES[first % 2], second),
        "cancel": lambda people, first, second, _third: people.cancel(NAMES[first % 2], second),
        "sign out": lambda people, first, second, _third: people.sign_out(NAMES[first % 2], second),
        "answer": _answer,
        "wait": lambda people, first, _second, _third: people.world.pass_time(PAUSES[first % len(PAUSES)]),
    }
)
OFTEN: Final = (*["answer"] * 5, *["ask phone", "sign in", "enter phrase"] * 2, "cancel")
PAIRING: Final[tuple[Action, ...]] = (
    ("sign in", 0, 0, 0),
    ("ask for phrase", 0, 0, 0),
    ("enter phrase", 0, 0, 0),
    ("answer", 0, 0, 0),
    ("ask phone", 0, 0, 0),
)
"""A phone is paired and asked, so that much can happen after it."""
actions: Final[st.SearchStrategy[Action]] = st.tuples(
    st.sampled_from([*ACTIONS, *OFTEN]), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)
)
scripts: Final[st.SearchStrategy[list[Action]]] = st.builds(
    lambda paired, more: [*(PAIRING if paired else ()), *more], st.booleans(), st.lists(actions, max_size=25)
)


def act(people: People, action: Action) -> None:
    """Do what the script says next."""
    name, *numbers = action
    ACTIONS[name](people, *numbers)


repeats_between: Final[st.SearchStrategy[list[tuple[int, int]]]] = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 4)), max_size=50
)
"""Which places are set back, by how many events, for `act_with_repeats`."""


def act_with_repeats(script: Sequence[Action], repeats: Sequence[tuple[int, int]]) -> World:
    """Act in a new world, in which up to three places repeat what they had before each action."""
    people, left = People(World()), iter(repeats)
    for action in script:
        people.world.settle()
        for number, count in islice(left, 3):
            people.world.rewind(people.world.places()[number], count)
        people.world.settle()
        act(people, action)
    people.world.settle()
    return people.world
