"""How logins move from state to state, in the diagram and in decisions."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from services.login.domain import login
from services.login.domain.account import Account
from services.login.domain.expire import expire
from services.login.domain.limits import Limits
from services.login.domain.login import LoginState
from tests.state_diagrams import START, Move, diagrams, moves_of

DIAGRAM: Final = diagrams(login.__doc__ or "")[0]
MOVES: Final = moves_of(DIAGRAM)
ANY_OPEN: Final = "any_open"
_OVER: Final = {LoginState.APPROVED, LoginState.ENDED}


def login_moves(before: Account | None, cause: str, at: datetime, after: Account, limits: Limits) -> Iterator[Move]:
    """Give the moves of an account's logins in one decision, in the diagram's words.

    Args:
        before: The account before it, as it was kept.
        cause: The message's name.
        at: Its time; what ends by then, ends by time.
        after: The account after it.
        limits: The limits that it was decided by.

    """
    expired = None if before is None else expire(before, at, limits)
    if before is not None and expired is not None:
        yield from _moves(before, "time", expired)
    yield from _moves(expired, cause, after)


def _moves(before: Account | None, cause: str, after: Account) -> Iterator[Move]:
    states = {each.login_id: each.state for each in before.logins} if before else {}
    for each in after.logins:
        old = states.get(each.login_id)
        if each.state is not old:
            move = (old or START, cause, each.state)
            any_open = (ANY_OPEN, cause, each.state)
            yield any_open if old and old not in _OVER and move not in MOVES else move
