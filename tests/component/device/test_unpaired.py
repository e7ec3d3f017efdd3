"""Unpaired statements: which ones the phone accepts, and what it then does."""

import asyncio

import pytest

from authenticator.device.challenges import DeviceChallenge
from authenticator.device.phone import VirtualPhone
from authenticator.device.state import Account, ChallengeOutcome, State
from authenticator.device.store import MemoryStore
from protocol.jose import PrivateKey
from schemas.contract import Purpose, Verdict
from tests.builders import present
from tests.component.device.builders import QUICK, next_request, outcome_of, pair, send_pairing
from tests.component.device.fake_services import FakeServices
from tests.polling import eventually


def pairing_of(phone: VirtualPhone) -> str:
    """Return the pairing id of the phone's only account."""
    (account,) = phone.store.read().accounts
    return present(account.pairing_id)


async def ask_login(services: FakeServices, phone: VirtualPhone) -> DeviceChallenge:
    """Ask the phone for a login, and wait until it shows it."""
    await services.ask(services.claims(phone.device_id, Purpose.LOGIN))
    return await next_request(phone)


async def test_account_is_removed_noted_and_reported_once(services: FakeServices) -> None:
    removed: list[Account] = []
    store = MemoryStore(State(device_name="Pixel 9", url=services.origin))
    async with VirtualPhone(store, timing=QUICK, on_removed=removed.append) as phone:
        await pair(services, phone)
        await services.part(phone.device_id, services.parting(phone.device_id, pairing_of(phone)))
        await eventually(lambda: not store.read().accounts)
        await services.hang_up(phone.device_id)
        await eventually(lambda: services.openings == 2)
        await phone.new_phrase()  # answered after the second socket has sent the statement again
    assert [account.account_id for account in removed] == ["account-1"]
    (paired, gone) = store.read().history
    assert (paired.outcome, gone.outcome) == (ChallengeOutcome.APPROVED, ChallengeOutcome.REMOVED)
    assert (gone.service, gone.account_name, gone.challenge_id) == (
        "Account Manager",
        "ann@example.com",
        paired.challenge_id,
    )


async def test_statement_that_was_missed_comes_with_the_next_connection(
    services: FakeServices, phone: VirtualPhone
) -> None:
    services.parted[phone.device_id].append(services.parting(phone.device_id, pairing_of(phone)))
    await services.hang_up(phone.device_id)
    await eventually(lambda: not phone.store.read().accounts)


async def test_open_requests_of_the_account_end_and_others_stay(services: FakeServices, phone: VirtualPhone) -> None:
    kept = pairing_of(phone)
    await phone.answer(await send_pairing(services, phone, account_id="account-2"), Verdict.APPROVE)
    mine = await ask_login(services, phone)
    await services.ask(services.claims(phone.device_id, Purpose.LOGIN, account_id="account-2"))
    other = await next_request(phone)
    await services.part(phone.device_id, services.parting(phone.device_id, kept))
    assert await outcome_of(mine) is ChallengeOutcome.REMOVED
    await eventually(lambda: len(phone.store.read().accounts) == 1)
    assert other.outcome is None
    assert phone.store.read().accounts[0].account_id == "account-2"


async def test_pairing_of_the_same_account_that_waits_stays(services: FakeServices, phone: VirtualPhone) -> None:
    ended = pairing_of(phone)
    again = await send_pairing(services, phone)
    await services.part(phone.device_id, services.parting(phone.device_id, ended))
    await eventually(lambda: not phone.store.read().accounts)
    assert again.outcome is None
    await phone.answer(again, Verdict.APPROVE)
    assert pairing_of(phone) == again.claims.jti


async def test_login_of_the_removed_account_is_not_shown(
    services: FakeServices, phone: VirtualPhone, caplog: pytest.LogCaptureFixture
) -> None:
    await services.part(phone.device_id, services.parting(phone.device_id, pairing_of(phone)))
    await eventually(lambda: not phone.store.read().accounts)
    await services.ask(services.claims(phone.device_id, Purpose.LOGIN))
    await eventually(lambda: "not paired with that account" in caplog.text)
    assert len(services.receipts) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"account_id": "account-2"}, "not paired with that account"),
        ({"iss": "http://login.example.org"}, "not paired with that account"),
        ({"pairing_id": "an-earlier-one"}, "about another pairing"),
        ({"aud": "A" * 43}, "for another device"),
    ],
)
async def test_statement_about_something_else_is_ignored_with_a_log_line(
    services: FakeServices,
    new_phone: VirtualPhone,
    caplog: pytest.LogCaptureFixture,
    change: dict[str, str],
    reason: str,
) -> None:
    caplog.set_level("INFO")
    await pair(services, new_phone)
    await services.part(new_phone.device_id, services.parting(new_phone.device_id, pairing_of(new_phone), **change))
    await eventually(lambda: reason in caplog.text)
    assert len(new_phone.store.read().accounts) == 1


async def test_statement_that_was_altered_or_is_of_another_type_is_ignored(
    services: FakeServices, phone: VirtualPhone, caplog: pytest.LogCaptureFixture
) -> None:
    fine = services.parting(phone.device_id, pairing_of(phone))
    challenge = await services.ask(services.claims(phone.device_id, Purpose.LOGIN))
    for statement in (f"{fine[:-4]}AAAA", challenge):
        caplog.clear()
        await services.part(phone.device_id, statement)
        await eventually(lambda: "its signature does not hold" in caplog.text)
    assert len(phone.store.read().accounts) == 1


async def test_only_the_issuers_keys_remove_and_one_rotated_in_does(
    services: FakeServices, phone: VirtualPhone, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = PrivateKey.generate()
    statement = services.parting(phone.device_id, pairing_of(phone), stranger)
    await services.part(phone.device_id, statement)
    await eventually(lambda: "its issuer does not publish its key" in caplog.text)
    assert len(phone.store.read().accounts) == 1
    services.served = [services.key, stranger]
    await services.part(phone.device_id, statement)
    await eventually(lambda: not phone.store.read().accounts)


@pytest.mark.parametrize("paired_before", [False, True])
async def test_statement_that_overtakes_the_receipt_of_the_pairing_counts(
    services: FakeServices, new_phone: VirtualPhone, *, paired_before: bool
) -> None:
    """A pairing that was accepted too late is revoked at once, possibly before the new_phone has stored it."""
    if paired_before:
        await pair(services, new_phone)
    await new_phone.new_phrase()
    claims = services.claims(new_phone.device_id, Purpose.PAIRING)
    await services.ask(claims)
    request = await next_request(new_phone)
    services.answer_gate.clear()
    answering = asyncio.create_task(new_phone.answer(request, Verdict.APPROVE))
    await eventually(lambda: not services.waiting[new_phone.device_id])
    await services.part(new_phone.device_id, services.parting(new_phone.device_id, claims.jti))
    services.parted.clear()  # it is not sent again, whatever becomes of the socket
    stays = services.claims(new_phone.device_id, Purpose.PAIRING)
    await services.ask(stays)
    await eventually(lambda: stays.jti in services.receipts)  # so the statement, sent before, is there as well
    services.answer_gate.set()
    await answering
    await eventually(lambda: not new_phone.store.read().accounts)
    assert new_phone.store.read().history[-1].outcome is ChallengeOutcome.REMOVED
