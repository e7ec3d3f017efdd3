"""Pairing for the account: a phrase is entered, and a phone accepts or the pairing fails."""

import pytest

from schemas.contract import (
    ChallengeIssued,
    PairingFailure,
    PairingRequested,
)
from services.common.decisions import OK
from services.login.domain.history import HistoryKind
from services.login.domain.login import LoginState
from services.login.domain.rejections import Rejection
from tests.builders import (
    LOGIN_URL,
    a_browser,
    a_device,
    a_key,
    a_login,
    a_phone,
    after,
    an_account,
)
from tests.events import PHRASE, a_paired, only
from tests.messages import a_cancel, a_pairing_start, a_send
from tests.unit.login.owner import Owner
from tests.unit.login.pairings import failed, pairing, phoneless


def test_an_entered_phrase_requests_a_pairing() -> None:
    owner = phoneless()
    request = only(owner.take(a_pairing_start(at=after(5))).events, PairingRequested)
    assert owner.login().state is LoginState.PAIRING
    assert owner.login().waits_for_phone(after(6))
    assert (request.phrase_digest, request.pairing_id, request.account_id) == (PHRASE, "pairing-1", "alex")
    assert (request.account_name, request.service_name, request.issuer) == ("Alex", "Account Manager", LOGIN_URL)
    assert request.issuer_keys == (a_key("login service").public.thumbprint,)
    assert (request.browser, request.requested_at) == (a_browser(), after(5))
    assert request.expires_at == after(5, minutes=2)


def test_an_accepting_phone_is_paired_and_can_be_challenged() -> None:
    owner = pairing()
    decision = owner.take(a_paired(at=after(10)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert owner.login().state is LoginState.PAIRED
    assert owner.account.devices == (a_device(pairing_id="pairing-1", paired_at=after(10)),)
    assert owner.account.history[-1].what is HistoryKind.PHONE_PAIRED
    assert owner.account.history[-1].device_name == a_phone().name
    assert only(owner.take(a_send(at=after(11))).events, ChallengeIssued).device_id == a_phone().device_id


@pytest.mark.parametrize("reason", list(PairingFailure))
def test_a_failed_pairing_keeps_its_reason_and_allows_another_phrase(reason: PairingFailure) -> None:
    owner = pairing()
    owner.take(failed(reason))
    attempt = owner.login().pairing
    assert attempt is not None
    assert attempt.failure is reason
    assert not owner.login().waits_for_phone(after(1))
    only(owner.take(a_pairing_start("pairing-2", after(2))).events, PairingRequested)


def test_only_failures_chosen_on_the_phone_are_in_the_history() -> None:
    kinds = {}
    for reason in PairingFailure:
        owner = pairing()
        owner.take(failed(reason))
        kinds[reason] = [entry.what for entry in owner.account.history]
    declined = [reason for reason, found in kinds.items() if found == [HistoryKind.PAIRING_DECLINED]]
    assert declined == [PairingFailure.DECLINED, PairingFailure.REPORTED]
    assert not any(kinds[reason] for reason in kinds if reason not in declined)


def test_the_failure_of_an_earlier_phrase_keeps_the_later_one_open() -> None:
    owner = pairing()
    owner.take(failed(PairingFailure.UNKNOWN_PHRASE))
    owner.take(a_pairing_start("pairing-2", after(2)))
    owner.take(failed(PairingFailure.DECLINED, "pairing-1"))
    assert owner.login().waits_for_phone(after(3))


def test_a_failure_after_pairing_changes_nothing() -> None:
    owner = pairing()
    owner.take(a_paired())
    login = owner.login()
    owner.take(failed(PairingFailure.DECLINED))
    assert owner.login() == login


def test_only_one_phrase_waits_at_a_time() -> None:
    owner = pairing()
    assert owner.take(a_pairing_start("pairing-2", after(minutes=2))).outcome == Rejection.NOT_NOW
    only(owner.take(a_pairing_start("pairing-2", after(minutes=2, seconds=1))).events, PairingRequested)


@pytest.mark.parametrize("state", [LoginState.PAIRED, LoginState.READY, LoginState.CHALLENGED])
def test_a_phrase_is_rejected_once_a_phone_is_paired(state: LoginState) -> None:
    owner = Owner(an_account(logins=(a_login(state=state),)))
    assert owner.take(a_pairing_start()).outcome == Rejection.NOT_NOW


def test_a_phrase_in_an_ended_or_unknown_login_is_rejected() -> None:
    owner = phoneless()
    owner.take(a_cancel())
    assert owner.take(a_pairing_start()).outcome == Rejection.NO_LOGIN
    assert owner.take(a_pairing_start(login_id="login-9")).outcome == Rejection.NO_LOGIN
