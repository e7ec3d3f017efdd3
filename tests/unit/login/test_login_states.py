"""The diagram of a login's states is what the rules do: each move in it happens, and none that is not in it.

`tests/model` looks for any other move, too, over random sequences of actions.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from schemas.base import Message
from schemas.contract import Verdict
from services.login.domain.limits import Enrolment
from services.login.domain.login import LoginKind, LoginState
from tests.builders import LIMITS, a_login, a_remembered_browser, after, an_account, an_app, recovery_codes
from tests.events import a_paired, a_response
from tests.messages import (
    a_cancel,
    a_code,
    a_pairing_start,
    a_recovery_code,
    a_send,
    a_sign_in,
    an_enrolment,
    an_enrolment_mail,
)
from tests.session_messages import a_confirmation, a_further_phone, a_method_removal, a_password_change, a_reset
from tests.state_diagrams import START, Move, diagrams
from tests.unit.login.login_moves import ANY_OPEN, DIAGRAM, MOVES, login_moves
from tests.unit.login.owner import Owner, asked, signed_in

ARCHITECTURE: Final = Path(__file__).parents[3] / "ARCHITECTURE.md"
Story = Callable[[], tuple[Owner, Message]]
LATER: Final = after(20)


def _without_phone(*earlier: Message, **policy_changes: Any) -> Owner:
    owner = Owner(an_account(paired=False, email="alex@example.org"), **policy_changes)
    for each in earlier:
        owner.take(each)
    return owner


def _beside(state: LoginState) -> tuple[Owner, Message]:
    """Another login pairs the first phone."""
    owner = _without_phone(a_sign_in("pairs"), a_pairing_start(login_id="pairs"))
    owner.account = owner.account.with_login(a_login(state=state))
    return owner, a_paired(at=LATER)


def _paired(kind: LoginKind = LoginKind.SIGN_IN, **changes: Any) -> Owner:
    return Owner(an_account(logins=(a_login(state=LoginState.PAIRED, kind=kind),), **changes))


def _ready(**changes: Any) -> Owner:
    return Owner(an_account(logins=(a_login(),), **changes))


def _challenged(verdict: Verdict) -> tuple[Owner, Message]:
    owner, challenge = asked()
    return owner, a_response(challenge, verdict, LATER)


def _reported_elsewhere() -> tuple[Owner, Message]:
    owner, challenge = asked(an_account(logins=(a_login("waits", state=LoginState.READY),)))
    return owner, a_response(challenge, Verdict.REPORT, LATER)


def _in_session(message: Message) -> Story:
    return lambda: (signed_in(logins=(a_login(),), apps=(an_app(),)), message)


def _removed() -> tuple[Owner, Message]:
    owner = signed_in(apps=(an_app(),))
    owner.challenge(a_sign_in())
    return owner, a_method_removal("pairing-0", LATER)


def _same_browser() -> tuple[Owner, Message]:
    owner = Owner(an_account(logins=(a_login(browser_digest="b" * 43),)))
    return owner, a_sign_in("again", LATER, browser_digest="b" * 43)


def _enrolling() -> tuple[Owner, Message]:
    owner = _without_phone(a_sign_in(), an_enrolment_mail(), enrolment=Enrolment.EMAIL)
    return owner, an_enrolment(at=LATER, enrolment_id="enrolment-1")


def _remembered() -> tuple[Owner, Message]:
    browser = a_remembered_browser()
    return Owner(an_account(remembered=(browser,)), remember_days=7), a_sign_in(remembered_digest=browser.digest)


STORIES: Final[dict[Move, Story]] = {
    (START, "SignIn", "needs_enrolment"): lambda: (_without_phone(enrolment=Enrolment.EMAIL), a_sign_in()),
    (START, "SignIn", "needs_phone"): lambda: (_without_phone(), a_sign_in()),
    (START, "SignIn", "ready"): lambda: (_without_phone_but_app(), a_sign_in()),
    (START, "SignIn", "challenged"): lambda: (Owner(), a_sign_in()),
    (START, "SignIn", "approved"): _remembered,
    (START, "Confirm", "ready"): lambda: (signed_in(), a_confirmation()),
    (START, "AddPhone", "needs_phone"): lambda: (signed_in(), a_further_phone()),
    ("needs_enrolment", "Enrol", "needs_phone"): _enrolling,
    ("needs_enrolment", "DevicePaired", "ready"): lambda: _beside(LoginState.NEEDS_ENROLMENT),
    ("needs_phone", "DevicePaired", "ready"): lambda: _beside(LoginState.NEEDS_PHONE),
    ("pairing", "DevicePaired", "ready"): lambda: _beside(LoginState.PAIRING),
    ("needs_phone", "StartPairing", "pairing"): lambda: (_without_phone(a_sign_in()), a_pairing_start(at=LATER)),
    ("pairing", "DevicePaired", "paired"): lambda: (_without_phone(a_sign_in(), a_pairing_start()), a_paired(at=LATER)),
    ("paired", "SendChallenge", "challenged"): lambda: (_paired(), a_send(at=LATER)),
    ("paired", "SendChallenge", "ready"): lambda: (_paired(), a_send(at=LATER, device_id="d" * 43)),
    ("paired", "SendChallenge", "approved"): lambda: (_paired(LoginKind.ADD_PHONE), a_send(at=LATER)),
    ("ready", "SendChallenge", "challenged"): lambda: (_ready(), a_send(at=LATER)),
    ("ready", "UseCode", "approved"): lambda: (_ready(), a_code(at=LATER)),
    ("ready", "UseRecoveryCode", "approved"): lambda: (
        _ready(recovery=recovery_codes("code 1")),
        a_recovery_code(at=LATER),
    ),
    ("challenged", "AuthResponse", "approved"): lambda: _challenged(Verdict.APPROVE),
    ("challenged", "UseCode", "approved"): lambda: (asked()[0], a_code(at=LATER)),
    ("challenged", "UseRecoveryCode", "approved"): lambda: (
        asked(an_account(recovery=recovery_codes("code 1")))[0],
        a_recovery_code(at=LATER),
    ),
    ("challenged", "AuthResponse", "ended"): lambda: _challenged(Verdict.DENY),
    ("challenged", "RemoveMethod", "ended"): _removed,
    (ANY_OPEN, "AuthResponse", "ended"): _reported_elsewhere,
    (ANY_OPEN, "CancelLogin", "ended"): lambda: (_ready(), a_cancel(at=LATER)),
    (ANY_OPEN, "ChangePassword", "ended"): _in_session(a_password_change(LATER)),
    (ANY_OPEN, "ResetMethods", "ended"): _in_session(a_reset(LATER)),
    (ANY_OPEN, "SignIn", "ended"): _same_browser,
    (ANY_OPEN, "time", "ended"): lambda: (_ready(), a_cancel("another", after(minutes=31))),
}


def _without_phone_but_app() -> Owner:
    return Owner(an_account(paired=False, apps=(an_app(),)))


def test_the_architecture_document_has_the_diagram() -> None:
    assert DIAGRAM in diagrams(ARCHITECTURE.read_text(encoding="utf-8"))


def test_each_move_of_the_diagram_has_a_story() -> None:
    assert STORIES.keys() == MOVES


@pytest.mark.parametrize("move", STORIES, ids=" ".join)
def test_each_story_makes_its_move_and_none_outside_the_diagram(move: Move) -> None:
    owner, message = STORIES[move]()
    before = owner.account
    owner.take(message)
    at = getattr(message, "at", LATER)
    moves = set(login_moves(before, type(message).__name__, at, owner.account, LIMITS))
    assert move in moves
    assert moves <= MOVES
