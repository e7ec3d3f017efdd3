"""A phone pairs and answers challenges despite errors of its requests."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from authenticator.device.challenges import DeviceChallenge
from authenticator.device.errors import (
    NoCodesError,
    NumberError,
    ProblemError,
    UnexpectedResponseError,
    UnreachableError,
)
from authenticator.device.phone import VirtualPhone
from authenticator.device.state import ChallengeOutcome
from protocol.challenges import PinnedIssuer, challenge_digest, verify_proof
from protocol.verification_codes import find_step
from schemas.base import AgreementKey
from schemas.contract import Purpose, Verdict
from tests.builders import present
from tests.component.device.builders import QUICK, next_request, pair, send_challenge, send_pairing
from tests.component.device.fake_services import FakeServices
from tests.polling import eventually

PHONES = 30


async def test_whole_life_of_a_phone(services: FakeServices, new_phone: VirtualPhone) -> None:
    issued = await new_phone.new_phrase()
    assert issued.phrase == "crimson otter"
    assert services.requests[0].payload == {"device_name": "Pixel 9"}

    await services.ask(services.claims(new_phone.device_id, Purpose.PAIRING))
    pairing = await next_request(new_phone)
    assert pairing.claims.account_name == "ann@example.com"
    await new_phone.answer(pairing, Verdict.APPROVE)
    assert [account.issuer for account in new_phone.store.read().accounts] == [services.origin]

    challenge = await services.ask(services.claims(new_phone.device_id, Purpose.LOGIN))
    login = await next_request(new_phone)
    await new_phone.answer(login, Verdict.DENY)
    proof = verify_proof(challenge, services.requests[-1].compact)
    assert (proof.verdict, proof.device_id) == (Verdict.DENY, new_phone.device_id)
    assert services.requests[-1].payload["challenge_digest"] == challenge_digest(challenge)
    assert services.receipts == [pairing.claims.jti, login.claims.jti]
    assert [entry.outcome for entry in new_phone.store.read().history] == [
        ChallengeOutcome.APPROVED,
        ChallengeOutcome.DENIED,
    ]


async def test_accepted_pairing_agrees_on_a_secret_that_was_never_sent(
    services: FakeServices, phone: VirtualPhone
) -> None:
    sent = AgreementKey.model_validate(services.requests[-1].payload["agreement_key"])
    account = phone.store.read().accounts[0]
    assert account.pairing_id is not None
    assert account.agreement == services.agreement.public
    theirs = services.agreement.code_secret(sent, account.pairing_id)
    assert phone.store.agreement.code_secret(account.agreement, account.pairing_id) == theirs


@pytest.mark.parametrize("verdict", [Verdict.DENY, Verdict.REPORT])
async def test_answer_that_pairs_nothing_holds_no_agreement_key(
    services: FakeServices, new_phone: VirtualPhone, verdict: Verdict
) -> None:
    await new_phone.answer(await send_pairing(services, new_phone), verdict)
    assert set(services.requests[-1].payload) == {"challenge_digest", "verdict"}


async def test_service_that_takes_no_codes_is_sent_no_agreement_key(
    services: FakeServices, new_phone: VirtualPhone
) -> None:
    issuer = PinnedIssuer(issuer=services.origin, keys=(services.key.public.thumbprint,))
    await new_phone.answer(await send_pairing(services, new_phone, login_issuer=issuer), Verdict.APPROVE)
    assert set(services.requests[-1].payload) == {"challenge_digest", "verdict"}
    with pytest.raises(NoCodesError, match="has no verification codes"):
        new_phone.code(new_phone.store.read().accounts[0])


async def test_approval_holds_the_number(services: FakeServices, phone: VirtualPhone) -> None:
    challenge = await services.ask(services.claims(phone.device_id, Purpose.LOGIN, number_matching=True))
    await phone.answer(await next_request(phone), Verdict.APPROVE, 42)
    assert verify_proof(challenge, services.requests[-1].compact).number == 42


@pytest.mark.parametrize("number", [None, 9, 100])
async def test_approval_without_the_number_is_not_sent_and_may_be_given_again(
    services: FakeServices, phone: VirtualPhone, number: int | None
) -> None:
    await services.ask(services.claims(phone.device_id, Purpose.LOGIN, number_matching=True))
    request = await next_request(phone)
    before = services.attempts
    with pytest.raises(NumberError, match="10 to 99"):
        await phone.answer(request, Verdict.APPROVE, number)
    assert services.attempts == before
    await phone.answer(request, Verdict.APPROVE, 10)
    assert services.requests[-1].payload["number"] == 10


@pytest.mark.parametrize(
    ("purpose", "matching", "verdict"),
    [
        (Purpose.LOGIN, True, Verdict.DENY),
        (Purpose.LOGIN, True, Verdict.REPORT),
        (Purpose.LOGIN, False, Verdict.APPROVE),
        (Purpose.PAIRING, True, Verdict.APPROVE),
    ],
)
async def test_number_that_is_not_needed_is_not_sent(
    services: FakeServices, phone: VirtualPhone, *, purpose: Purpose, matching: bool, verdict: Verdict
) -> None:
    await phone.new_phrase()
    await services.ask(services.claims(phone.device_id, purpose, number_matching=matching))
    await phone.answer(await next_request(phone), verdict, 42)
    assert services.requests[-1].payload["verdict"] == verdict
    assert "number" not in services.requests[-1].payload


async def test_dozens_of_phones_fit_into_one_process(services: FakeServices) -> None:
    async with AsyncExitStack() as stack:
        phones = [
            await stack.enter_async_context(VirtualPhone.in_memory(services.origin, timing=QUICK))
            for _ in range(PHONES)
        ]
        await asyncio.gather(*(pair(services, phone) for phone in phones))
        for phone in phones:
            await services.ask(services.claims(phone.device_id, Purpose.LOGIN))
        requests = await asyncio.gather(*(next_request(phone) for phone in phones))
        await asyncio.gather(
            *(phone.answer(request, Verdict.APPROVE) for phone, request in zip(phones, requests, strict=True))
        )
    assert len({signed.device.thumbprint for signed in services.requests}) == PHONES
    assert len(services.requests) == 3 * PHONES


async def test_phone_with_a_wrong_clock_works(services: FakeServices) -> None:
    services.clock_offset = timedelta(hours=3)
    async with VirtualPhone.in_memory(services.origin, timing=QUICK) as phone:
        await pair(services, phone)
        assert phone.store.read().accounts


async def test_code_is_that_of_the_service_even_where_the_clock_is_wrong(services: FakeServices) -> None:
    services.clock_offset = timedelta(hours=3)
    async with VirtualPhone.in_memory(services.origin, timing=QUICK) as phone:
        await pair(services, phone)
        store = phone.store
    sent = AgreementKey.model_validate(services.requests[-1].payload["agreement_key"])
    (account,) = store.read().accounts
    secret = services.agreement.code_secret(sent, present(account.pairing_id))
    store.update(lambda state: state.with_names(url="http://127.0.0.1:1"))
    async with VirtualPhone(store, timing=QUICK) as offline:
        shown = offline.code(account)
    assert find_step(secret, shown.code, services.now()) is not None
    assert 1 <= shown.seconds_left <= 30
    assert shown.code not in repr(shown)


async def test_clock_that_drifts_meanwhile_is_put_right_once(services: FakeServices, new_phone: VirtualPhone) -> None:
    services.clock_offset = timedelta(minutes=-10)
    await new_phone.new_phrase()
    assert services.attempts == 2


async def test_nonces_come_with_the_answers(services: FakeServices, new_phone: VirtualPhone) -> None:
    for _ in range(3):
        await new_phone.new_phrase()
    assert (services.nonces_given, services.attempts) == (1, 3)
    assert len({signed.nonce for signed in services.requests}) == 3


async def test_bad_nonce_is_tried_once_more_with_the_nonce_of_the_refusal(
    services: FakeServices, new_phone: VirtualPhone
) -> None:
    services.refusals = ["bad-nonce"]
    await new_phone.new_phrase()
    assert (services.nonces_given, services.attempts) == (1, 2)


@pytest.mark.parametrize("name", ["bad-nonce", "stale"])
async def test_second_try_is_the_last(services: FakeServices, new_phone: VirtualPhone, name: str) -> None:
    services.refusals = [name] * 5
    with pytest.raises(ProblemError) as refused:
        await new_phone.new_phrase()
    assert refused.value.problem.name == name
    assert services.attempts == 2


@pytest.mark.parametrize("name", ["unavailable", "too-many-requests"])
async def test_service_that_is_away_is_asked_again(services: FakeServices, new_phone: VirtualPhone, name: str) -> None:
    services.refusals = [name] * 3
    services.headers = {"Retry-After": "0"}
    await new_phone.new_phrase()
    assert services.attempts == 4


async def test_no_request_waits_longer_than_useful(services: FakeServices, new_phone: VirtualPhone) -> None:
    services.refusals = ["unavailable"]
    services.headers = {"Retry-After": "3600"}
    with pytest.raises(ProblemError, match="unavailable"):
        await new_phone.new_phrase()


@pytest.mark.parametrize("name", ["malformed", "bad-signature", "wrong-url", "replayed-nonce", "wrong-challenge"])
async def test_other_refusals_are_final(services: FakeServices, new_phone: VirtualPhone, name: str) -> None:
    services.refusals = [name] * 2
    with pytest.raises(ProblemError) as refused:
        await new_phone.new_phrase()
    assert (refused.value.problem.name, services.attempts) == (name, 1)
    assert new_phone.store.read().phrase is None


async def test_answer_that_had_counted_is_an_answer(services: FakeServices, new_phone: VirtualPhone) -> None:
    """The first attempt reached Kafka and its receipt was lost: the new_phone must know that it is paired."""
    request = await send_pairing(services, new_phone)
    services.refusals = ["unavailable", "already-answered"]
    services.problem_members = {"verdict": "approve"}
    await new_phone.answer(request, Verdict.APPROVE)
    assert len(new_phone.store.read().accounts) == 1


async def test_answer_is_sent_until_it_is_decided(services: FakeServices, phone: VirtualPhone) -> None:
    _claims, request = await send_challenge(services, phone)
    services.outcomes = ["received", "received", "approved"]
    answered = await phone.answer(request, Verdict.APPROVE)
    assert answered.outcome is ChallengeOutcome.APPROVED
    ids = {verify_proof(request.challenge, each.compact).answer_id for each in services.requests[-3:]}
    assert len(ids) == 1
    assert services.sent_along[-3:] == [request.challenge] * 3


async def test_wrong_number_is_an_outcome(services: FakeServices, phone: VirtualPhone) -> None:
    _claims, request = await send_challenge(services, phone)
    services.outcomes = ["wrong_number"]
    answered = await phone.answer(request, Verdict.APPROVE)
    assert answered.outcome is ChallengeOutcome.WRONG_NUMBER
    assert await request.ended() is ChallengeOutcome.WRONG_NUMBER


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("already-answered", ChallengeOutcome.ANSWERED),
        ("expired", ChallengeOutcome.EXPIRED),
        ("unknown-challenge", ChallengeOutcome.WITHDRAWN),
    ],
)
async def test_answer_that_does_not_count_connects_nothing(
    services: FakeServices, new_phone: VirtualPhone, name: str, outcome: ChallengeOutcome
) -> None:
    request = await send_pairing(services, new_phone)
    services.refusals = [name]
    services.problem_members = {"verdict": "deny"}
    with pytest.raises(ProblemError):
        await new_phone.answer(request, Verdict.APPROVE)
    assert await request.ended() is outcome
    assert new_phone.store.read().accounts == ()
    assert [entry.outcome for entry in new_phone.store.read().history] == [outcome]


@pytest.mark.parametrize("verdict", [Verdict.DENY, Verdict.REPORT])
async def test_pairing_that_is_not_accepted_connects_nothing(
    services: FakeServices, new_phone: VirtualPhone, verdict: Verdict
) -> None:
    await new_phone.answer(await send_pairing(services, new_phone), verdict)
    state = new_phone.store.read()
    assert (state.accounts, state.phrase) == ((), None)


async def test_unknown_device_opens_its_socket_anew_and_answers(services: FakeServices, phone: VirtualPhone) -> None:
    await services.ask(services.claims(phone.device_id, Purpose.LOGIN))
    request = await next_request(phone)
    services.refusals = ["unknown-device"]
    await phone.answer(request, Verdict.APPROVE)
    assert services.openings == 2


async def test_answer_to_a_request_that_expires_meanwhile_ends_it(services: FakeServices, phone: VirtualPhone) -> None:
    expires = int(services.now().timestamp()) + 2
    await services.ask(services.claims(phone.device_id, Purpose.LOGIN, exp=expires))
    request = await next_request(phone)
    await answer_past_expiry(services, phone, request, "expired")
    assert await request.ended() is ChallengeOutcome.EXPIRED


async def test_acceptance_that_had_counted_connects_after_the_request_ran_out(
    services: FakeServices, new_phone: VirtualPhone
) -> None:
    expires = int(services.now().timestamp()) + 2
    request = await send_pairing(services, new_phone, exp=expires)
    services.problem_members = {"verdict": "approve"}
    await answer_past_expiry(services, new_phone, request, "already-answered")
    assert await request.ended() is ChallengeOutcome.APPROVED
    assert len(new_phone.store.read().accounts) == 1


async def answer_past_expiry(services: FakeServices, phone: VirtualPhone, request: DeviceChallenge, told: str) -> None:
    """Approve while the service is unavailable until the request expires; then the service refuses with a reason."""
    services.refusals = ["unavailable"] * 1_000_000
    answering = asyncio.create_task(phone.answer(request, Verdict.APPROVE))
    await eventually(lambda: services.now() > request.claims.expires_at)
    services.refusals = [told]
    await asyncio.gather(answering, return_exceptions=True)


async def test_service_that_is_not_there_is_named(services: FakeServices) -> None:
    async with VirtualPhone.in_memory("http://127.0.0.1:1", timing=QUICK) as phone:
        with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:1/"):
            await phone.connected(retry=False)
    async with VirtualPhone.in_memory(f"{services.origin}/nonce", timing=QUICK) as phone:
        with pytest.raises(UnexpectedResponseError, match="404"):
            await phone.connected(retry=False)
