"""A further phone is paired only from a confirmed session."""

from dataclasses import replace
from typing import Any

import pytest

from protocol.challenges import PinnedIssuer
from schemas.contract import DeviceUnpaired, PairingRequested, PairingWithdrawn
from services.common.decisions import OK
from services.login.domain.history import HistoryKind
from services.login.domain.login import LoginKind, LoginState
from services.login.domain.pairing import MOST_PHONES
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import TOO_LATE
from tests.builders import (
    LOGIN_URL,
    a_device,
    a_digest,
    a_key,
    a_login,
    a_phone,
    after,
    an_agreement_key,
    an_app,
    recovery_codes,
)
from tests.events import a_challenge, a_paired, only, without_number
from tests.messages import a_code, a_pairing_start, a_recovery_code, a_send, a_sign_in
from tests.session_messages import a_further_phone, a_revocation
from tests.unit.login.owner import Owner, signed_in

FAIR = a_phone("Fairphone 5")
MANY = tuple(a_device(a_phone(f"Phone {number}"), pairing_id=f"p{number}") for number in range(MOST_PHONES))


def _adding(**changes: Any) -> Owner:
    """Return an account whose owner entered the phrase of a further phone."""
    owner = signed_in(**changes)
    owner.take(a_further_phone())
    only(owner.take(a_pairing_start(at=after(1), login_id="add-1")).events, PairingRequested)
    return owner


def test_a_confirmed_session_can_add_a_phone() -> None:
    owner = signed_in()
    assert owner.take(a_further_phone(at=after(1))).outcome == OK
    login = owner.login("add-1")
    assert (login.kind, login.state, login.session_digest) == (
        LoginKind.ADD_PHONE,
        LoginState.NEEDS_PHONE,
        a_digest("s"),
    )
    assert owner.account.login_by_digest(a_digest("token of add-1")) == login


def test_an_added_phone_comes_last() -> None:
    owner = _adding()
    owner.take(a_paired(at=after(2), phone=FAIR))
    assert [each.name for each in owner.account.devices] == ["Pixel 9", "Fairphone 5"]
    assert owner.login("add-1").state is LoginState.PAIRED
    assert owner.account.history[-1].what is HistoryKind.PHONE_PAIRED


def test_an_added_phone_has_its_agreement_key() -> None:
    owner = _adding()
    owner.take(a_paired(at=after(2), phone=FAIR))
    added = owner.account.devices[-1]
    assert added.agreement_key == FAIR.agreement.public
    assert added.agreement_key_id == an_agreement_key("login service").key_id


def test_ok_completes_the_addition_without_a_challenge_or_session() -> None:
    owner = _adding()
    owner.take(a_paired(at=after(2), phone=FAIR))
    sessions = owner.account.sessions
    decision = owner.take(a_send("add-1", after(3)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert owner.login("add-1").state is LoginState.APPROVED
    assert owner.account.sessions == sessions
    owner.refuse(a_send("add-1", after(4)), Rejection.NO_LOGIN)


def test_pairing_the_same_phone_again_replaces_it() -> None:
    owner = _adding()
    owner.take(a_paired(at=after(2)))
    assert [(each.name, each.pairing_id) for each in owner.account.devices] == [("Pixel 9", "pairing-1")]


def test_the_password_alone_cannot_add_a_phone_meanwhile() -> None:
    owner = _adding()
    owner.take(a_sign_in(at=after(2)))
    owner.refuse(a_pairing_start("pairing-2", after(3)), Rejection.NOT_NOW)
    owner.take(a_paired(at=after(4), phone=FAIR))
    owner.refuse(a_pairing_start("pairing-2", after(5)), Rejection.NOT_NOW)


def test_an_added_phone_keeps_another_addition_open() -> None:
    owner = _adding()
    owner.take(a_further_phone("add-2", after(2)))
    owner.take(a_pairing_start("pairing-2", after(3), login_id="add-2"))
    assert owner.take(a_paired("pairing-1", after(4), phone=FAIR)).events == ()
    assert owner.take(a_paired("pairing-2", after(5), phone=a_phone("Third"))).outcome == OK
    assert len(owner.account.devices) == 3


def test_the_number_of_phones_is_limited() -> None:
    owner = signed_in(devices=MANY[:-1], logins=(a_login("add-1", kind=LoginKind.ADD_PHONE, state="needs_phone"),))
    assert owner.take(a_further_phone("add-2")).outcome == OK
    owner.account = replace(owner.account, devices=MANY)
    owner.refuse(a_further_phone("add-3"), Rejection.TOO_MANY_METHODS)
    owner.refuse(a_pairing_start(login_id="add-1"), Rejection.TOO_MANY_METHODS)


def test_the_second_of_two_phones_is_unpaired_at_the_limit() -> None:
    owner = _adding(devices=MANY[:-1])
    owner.take(a_further_phone("add-2", after(2)))
    owner.take(a_pairing_start("pairing-2", after(3), login_id="add-2"))
    owner.take(a_paired("pairing-1", after(4), phone=FAIR))
    decision = owner.take(a_paired("pairing-2", after(5), phone=a_phone("Third")))
    assert decision.outcome == TOO_LATE
    assert only(decision.events, DeviceUnpaired).device_id == a_phone("Third").device_id
    assert len(owner.account.devices) == MOST_PHONES


def test_a_paired_phone_can_be_paired_again_at_the_limit() -> None:
    owner = _adding(devices=MANY[:-1])
    owner.account = replace(owner.account, devices=MANY)
    assert owner.take(a_paired("pairing-1", after(4), phone=a_phone("Phone 2"))).outcome == OK
    assert len(owner.account.devices) == MOST_PHONES


@pytest.mark.parametrize("code", ["of the old phone", "of recovery"])
def test_a_phone_can_be_added_after_a_sign_in_by_code(code: str) -> None:
    owner = Owner(signed_in(sessions=(), recovery=recovery_codes("code 1"), logins=(a_login(),)).account)
    owner.take(a_code() if code == "of the old phone" else a_recovery_code())
    session = owner.account.sessions[0].session_digest
    owner.take(a_further_phone(at=after(1), session_digest=session))
    owner.take(a_pairing_start(at=after(2), login_id="add-1"))
    assert owner.take(a_paired(at=after(3), phone=FAIR)).outcome == OK
    assert len(owner.account.devices) == 2


def test_signing_the_session_out_withdraws_its_pairing() -> None:
    other = replace(signed_in().account.sessions[0], session_digest=a_digest("another"))
    owner = _adding(sessions=(*signed_in().account.sessions, other), apps=(an_app(),))
    withdrawn = only(owner.take(a_revocation(a_digest("s"), after(2), a_digest("another"))).events, PairingWithdrawn)
    assert withdrawn.pairing_id == "pairing-1"
    decision = owner.take(a_paired(at=after(3), phone=FAIR))
    assert decision.outcome == TOO_LATE
    assert len(owner.account.devices) == 1


def test_an_addition_begins_once() -> None:
    owner = _adding()
    owner.ignore(a_further_phone())


def test_a_repeated_addition_changes_nothing_at_the_limit() -> None:
    owner = _adding(devices=MANY[:-1])
    owner.account = replace(owner.account, devices=MANY)
    owner.ignore(a_further_phone())


@pytest.mark.parametrize("without", ["the service", "the phone"])
def test_a_phone_has_no_codes_unless_both_sides_offer_a_key(without: str) -> None:
    key = None if without == "the service" else an_agreement_key("login service").public
    pinned = PinnedIssuer(issuer=LOGIN_URL, keys=(a_key("login service").public.thumbprint,), agreement=key)
    challenge = a_challenge(FAIR, login_issuer=pinned)
    answer = FAIR.answer(challenge) if key is None else without_number(challenge, phone=FAIR).answer
    owner = _adding()
    owner.take(a_paired(at=after(2), phone=FAIR, challenge=challenge, answer=answer))
    added = owner.account.devices[-1]
    assert (added.name, added.agreement_key, added.agreement_key_id) == (FAIR.name, None, None)
