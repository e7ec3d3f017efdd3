"""An account's revision: an administrator's command counts for the account as it was seen."""

from dataclasses import replace
from functools import partial
from typing import Final

import pytest

from schemas.login_messages import AdministratorCommand
from services.common.decisions import OK, decide_once
from services.login.domain.decide import decide_account
from services.login.domain.rejections import Rejection
from tests.builders import after, an_account, an_event, policy, present
from tests.messages import a_sign_in
from tests.rows import without_memory
from tests.session_messages import a_changed_name, a_removal, a_reset, an_address, an_invitation
from tests.unit.login.owner import Owner

_decide = partial(decide_account, policy=policy())
COMMANDS: Final = (an_address("other@example.org"), an_invitation(), a_reset(), a_removal())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("change", COMMANDS[:3], ids=lambda each: type(each).__name__)
def test_a_command_on_an_account_that_changed_since_is_rejected(
    change: AdministratorCommand, command: AdministratorCommand
) -> None:
    before = an_account()
    (changed, old) = (decide_once(before, an_event(each), _decide) for each in (change, command))
    assert changed.outcome == old.outcome == OK
    decision = decide_once(changed.row, an_event(command), _decide)
    assert decision.outcome == Rejection.CHANGED
    assert decision.events == ()
    assert without_memory(present(decision.row)) == without_memory(present(changed.row))


def test_a_command_on_an_account_whose_phones_changed_since_is_rejected() -> None:
    phoneless = replace(an_account(), devices=(), revision=an_account().revision)
    paired = replace(an_account(), revision=phoneless.revision + 1)
    command = a_reset().model_copy(update={"revision": phoneless.revision})
    assert decide_once(paired, an_event(command), _decide).outcome == Rejection.CHANGED


def test_a_sign_in_keeps_the_revision() -> None:
    owner = Owner()
    revision = owner.account.revision
    owner.take(a_sign_in())
    assert owner.account.revision == revision


def test_a_renamed_account_was_changed() -> None:
    owner = Owner()
    revision = owner.account.revision
    owner.take(a_changed_name("bo", after(1)))
    removal = an_event(a_removal(after(2)).model_copy(update={"revision": revision}))
    assert decide_once(owner.account, removal, _decide).outcome == Rejection.CHANGED
