"""A device's answers at one instance: what is published, what is refused, and what the device is told."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from protocol.signed_requests import Refusal, RequestRefusedError
from schemas.contract import AuthResponse, ChallengeIssued, ChallengeOutcome, Verdict
from services.common.kafka.publisher import UnavailableError
from services.common.used_nonces import MAX_NONCES, NONCE_SECONDS
from services.push import answers
from services.push.answers import GRACE, RequestMemory, Submission, read_answer
from tests.builders import PAIRING_URL, T0, a_digest, a_key, a_phone, after, present
from tests.events import CHALLENGE_LIFETIME, a_login_challenge, an_ended_challenge, an_issued_challenge
from tests.unit.push.instance import Instance, Published, an_answer, an_end

OTHER_PHONE = a_phone("Fairphone 5")


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Instance:
    """Return an instance whose waits are over at once."""
    monkeypatch.setattr(answers, "OUTCOME_SECONDS", 0.0)
    monkeypatch.setattr(answers, "CHALLENGE_SECONDS", 0.0)
    return Instance(monkeypatch)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Instance:
    """Return an instance that waits as long as in production."""
    return Instance(monkeypatch)


async def _refusal(
    instance: Instance,
    issued: ChallengeIssued,
    *,
    nonce: str = "refused",
    challenge_id: str | None = None,
    sent: str | None = None,
) -> Refusal:
    """Submit an answer that must not be published, and return the refusal."""
    before = len(instance.published)
    with pytest.raises(RequestRefusedError) as refused:
        await instance.submit(issued, nonce=nonce, challenge_id=challenge_id, sent=sent)
    assert len(instance.published) == before
    return refused.value.refusal


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("source", ["feed", "row"])
async def test_an_answer_is_published_with_its_proof(instance: Instance, verdict: Verdict, source: str) -> None:
    issued = an_issued_challenge()
    (instance.read if source == "feed" else instance.read_rows)(issued)
    instance.at = after(10)
    signed, answer = an_answer(issued, verdict)
    submission = await instance.submit(issued, verdict)
    answer_id = answer.id_for(a_phone().device_id)
    assert submission == Submission(after(10), answer_id, None)
    response = AuthResponse(
        challenge_id="challenge-1",
        device_id=a_phone().device_id,
        reply_key="alex",
        purpose=issued.purpose,
        verdict=verdict,
        challenge=issued.challenge,
        answer=signed.compact,
        answered_at=after(10),
    )
    assert instance.published == [Published(answer_id, response)]


async def test_the_same_answer_is_the_same_event_at_every_instance(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued, another = an_issued_challenge(), Instance(monkeypatch)
    for each, nonce in ((instance, "nonce-1"), (another, "nonce-2")):
        each.read(issued)
        await each.submit(issued, nonce=nonce)
    (first,), (second,) = instance.published, another.published
    assert first.event_id == second.event_id
    assert first.response.answer != second.response.answer
    await another.submit(issued, Verdict.DENY, nonce="nonce-3")
    assert another.published[1].event_id != first.event_id


async def test_a_device_waits_for_the_issuers_decision(patient: Instance) -> None:
    issued = an_issued_challenge()
    patient.read(issued)
    end = an_end(issued)
    patient.decide = lambda _published: patient.read(end)
    submission = await patient.submit(issued)
    assert submission.counted
    assert present(submission.ended).outcome is ChallengeOutcome.APPROVED


async def test_a_decision_in_the_row_is_enough(patient: Instance) -> None:
    issued = an_issued_challenge()
    patient.read_rows(issued)
    patient.decide = lambda _published: patient.read_rows(an_end(issued))
    assert (await patient.submit(issued)).counted


async def test_a_wrong_number_is_an_outcome(patient: Instance) -> None:
    issued = an_issued_challenge()
    patient.read(issued)
    end = an_end(issued).model_copy(update={"outcome": ChallengeOutcome.WRONG_NUMBER})
    patient.decide = lambda _published: patient.read(end)
    submission = await patient.submit(issued)
    assert submission.counted
    assert present(submission.ended).outcome is ChallengeOutcome.WRONG_NUMBER


async def test_of_two_verdicts_at_once_one_counts(patient: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    issued, another = an_issued_challenge(), Instance(monkeypatch)
    instances = (patient, another)
    end = an_end(issued, Verdict.DENY)

    def decide(_published: Published) -> None:
        if patient.published and another.published:
            for each in instances:
                each.read(end)

    for each in instances:
        each.read(issued)
        each.decide = decide
    approval, denial = await asyncio.gather(patient.submit(issued), another.submit(issued, Verdict.DENY))
    assert denial.counted
    assert not approval.counted
    assert present(approval.ended).verdict is Verdict.DENY


@pytest.mark.parametrize("source", ["feed", "row"])
@pytest.mark.parametrize("verdict", list(Verdict))
async def test_a_known_end_is_told_at_once(instance: Instance, verdict: Verdict, source: str) -> None:
    issued = an_issued_challenge()
    end = an_end(issued, verdict)
    (instance.read if source == "feed" else instance.read_rows)(issued, end)
    again = await instance.submit(issued, verdict)
    assert again.counted
    other = Verdict.DENY if verdict is Verdict.APPROVE else Verdict.APPROVE
    submission = await instance.submit(issued, other, nonce="nonce-2")
    assert not submission.counted
    assert present(submission.ended).verdict is verdict
    assert instance.published == []


@pytest.mark.parametrize("first", [Verdict.APPROVE, Verdict.DENY])
async def test_a_report_after_another_answer_is_published(patient: Instance, first: Verdict) -> None:
    issued = an_issued_challenge()
    patient.read(issued, an_end(issued, first))
    patient.decide = lambda _published: patient.read(an_end(issued, Verdict.REPORT))
    for nonce in ("nonce-1", "nonce-2"):
        submission = await patient.submit(issued, Verdict.REPORT, nonce=nonce, sent=issued.challenge)
        assert submission.counted
    assert [each.response.verdict for each in patient.published] == [Verdict.REPORT]


async def test_without_its_challenge_a_late_report_is_told_how_the_request_ended(instance: Instance) -> None:
    issued = an_issued_challenge()
    instance.read(issued, an_end(issued))
    submission = await instance.submit(issued, Verdict.REPORT)
    assert not submission.counted
    assert present(submission.ended).verdict is Verdict.APPROVE


async def test_a_report_of_a_withdrawn_request_is_published(patient: Instance) -> None:
    issued = an_issued_challenge()
    patient.read_rows(issued, an_ended_challenge(issued))
    patient.decide = lambda _published: patient.read(an_end(issued, Verdict.REPORT))
    assert (await patient.submit(issued, Verdict.REPORT, sent=issued.challenge)).counted


async def test_a_report_does_not_take_an_earlier_answers_outcome_for_its_own(patient: Instance) -> None:
    issued = an_issued_challenge()
    patient.read(issued)

    def decide(_published: Published) -> None:
        patient.read(an_end(issued))
        asyncio.get_running_loop().call_later(0.01, patient.read, an_end(issued, Verdict.REPORT))

    patient.decide = decide
    assert (await patient.submit(issued, Verdict.REPORT)).counted


async def test_a_report_that_does_not_count_is_told_how_the_request_ended(instance: Instance) -> None:
    issued = an_issued_challenge()
    end = an_end(issued)
    instance.read(issued, end)
    held = await instance.submit(issued, Verdict.REPORT, sent=issued.challenge)
    assert held.ended is None
    instance.decide = lambda _published: instance.read(end)
    submission = await instance.submit(issued, Verdict.REPORT, sent=issued.challenge, nonce="nonce-2")
    assert not submission.counted
    assert present(submission.ended).verdict is Verdict.APPROVE


async def test_an_unknown_device_opens_its_socket_first(instance: Instance) -> None:
    with pytest.raises(RequestRefusedError) as refused:
        await instance.submit(an_issued_challenge(phone=OTHER_PHONE), phone=OTHER_PHONE)
    assert refused.value.refusal is Refusal.UNKNOWN_DEVICE


async def test_a_device_that_only_its_challenge_names_is_answered(instance: Instance) -> None:
    """The first pairing of a device: this instance has neither read the challenge nor the row that begins by it."""
    issued = an_issued_challenge(phone=OTHER_PHONE)
    await instance.submit(issued, phone=OTHER_PHONE, sent=issued.challenge)
    assert [each.response.device_id for each in instance.published] == [OTHER_PHONE.device_id]


async def test_nothing_is_taken_while_the_channels_are_read(instance: Instance) -> None:
    instance.channels.ready = False
    with pytest.raises(UnavailableError):
        await instance.submit(an_issued_challenge())


async def test_a_replayed_request_is_refused(instance: Instance) -> None:
    issued = an_issued_challenge()
    instance.read(issued)
    await instance.submit(issued, nonce="nonce-1")
    assert await _refusal(instance, issued, nonce="nonce-1") is Refusal.REPLAYED


async def test_a_nonce_is_used_by_a_refused_request(instance: Instance) -> None:
    issued = an_issued_challenge()
    instance.read(issued)
    assert await _refusal(instance, issued, challenge_id="challenge-9", nonce="one") is Refusal.UNKNOWN_CHALLENGE
    assert await _refusal(instance, issued, nonce="one") is Refusal.REPLAYED


async def test_a_device_cannot_flood_the_issuer(instance: Instance) -> None:
    issued = an_issued_challenge()
    instance.read(issued)
    for number in range(MAX_NONCES):
        await instance.submit(issued, nonce=f"nonce-{number}")
    assert await _refusal(instance, issued) is Refusal.TOO_MANY
    assert len(instance.published) == MAX_NONCES


async def test_an_answer_to_an_unknown_challenge_is_refused(instance: Instance) -> None:
    assert await _refusal(instance, an_issued_challenge()) is Refusal.UNKNOWN_CHALLENGE


async def test_a_challenge_that_comes_later_than_its_answer_is_waited_for(patient: Instance) -> None:
    issued = an_issued_challenge()
    asyncio.get_running_loop().call_soon(patient.read, issued)
    patient.decide = lambda _published: patient.read(an_end(issued))
    assert (await patient.submit(issued)).counted


async def test_an_answer_is_taken_where_nothing_is_read(instance: Instance) -> None:
    issued = an_issued_challenge()
    await instance.submit(issued, sent=issued.challenge)
    response = instance.published[0].response
    assert (response.challenge, response.reply_key, response.purpose) == (issued.challenge, "alex", issued.purpose)


@pytest.mark.parametrize(
    "sent",
    [
        a_login_challenge(jti="challenge-1", key=a_key("stranger")),
        a_login_challenge(OTHER_PHONE, jti="challenge-1"),
        a_login_challenge(jti="challenge-2"),
        a_login_challenge(jti="challenge-1", iss="http://another.test"),
        a_login_challenge(jti="challenge-1", iss=PAIRING_URL),
        a_login_challenge(jti="challenge-1")[:-8] + "AAAAAAAA",
        "junk",
        "",
    ],
    ids=["stranger's key", "device", "challenge", "issuer", "issuer of another key", "altered", "junk", "empty"],
)
async def test_a_challenge_that_no_issuer_signed_for_this_answer_is_unknown(instance: Instance, sent: str) -> None:
    assert await _refusal(instance, an_issued_challenge(), sent=sent) is Refusal.UNKNOWN_CHALLENGE


async def test_without_the_issuers_keys_an_unread_challenge_is_tried_later(instance: Instance) -> None:
    issued = an_issued_challenge()
    instance.issuers.reachable = False
    with pytest.raises(UnavailableError):
        await instance.submit(issued, sent=issued.challenge)
    instance.read(issued)
    await instance.submit(issued, sent=issued.challenge, nonce="nonce-2")
    assert len(instance.published) == 1


async def test_of_a_known_challenge_the_sent_one_is_ignored(instance: Instance) -> None:
    issued = an_issued_challenge()
    instance.read(issued)
    await instance.submit(issued, sent=a_login_challenge(jti="challenge-1", reply_key="zoe"))
    response = instance.published[0].response
    assert (response.challenge, response.reply_key) == (issued.challenge, "alex")


@pytest.mark.parametrize("known", [True, False])
async def test_an_answer_over_another_challenge_is_refused(instance: Instance, *, known: bool) -> None:
    issued = an_issued_challenge()
    if known:
        instance.read(issued)
    other = an_issued_challenge(challenge=a_login_challenge(jti="challenge-1", service="Another service"))
    assert await _refusal(instance, other, sent=issued.challenge) is Refusal.WRONG_CHALLENGE


@pytest.mark.parametrize("known", [True, False])
async def test_only_the_issuer_decides_whether_an_answer_is_late(instance: Instance, *, known: bool) -> None:
    issued = an_issued_challenge()
    if known:
        instance.read(issued)
    instance.at = T0 + CHALLENGE_LIFETIME + GRACE
    await instance.submit(issued, sent=issued.challenge)
    assert len(instance.published) == 1
    instance.at += timedelta(milliseconds=1)
    assert await _refusal(instance, issued, sent=issued.challenge) is Refusal.EXPIRED


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "maybe"},
        {"challenge_digest": "short"},
        {"number": "42"},
        {"agreement_key": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}},
    ],
    ids=["verdict", "digest", "number", "agreement key off the curve"],
)
def test_what_no_issuer_can_read_is_malformed(changes: dict[str, object]) -> None:
    signed, answer = an_answer(an_issued_challenge())
    assert read_answer(signed) == answer
    with pytest.raises(RequestRefusedError) as refused:
        read_answer(replace(signed, payload={**signed.payload, **changes}))
    assert refused.value.refusal is Refusal.MALFORMED


def _refused(memory: RequestMemory, device: str, nonce: str, seconds: float = 0.0) -> Refusal | None:
    try:
        memory.note(a_digest(device), nonce, after(seconds))
    except RequestRefusedError as error:
        return error.refusal
    return None


def test_a_nonce_is_remembered_while_it_can_be_replayed() -> None:
    memory = RequestMemory()
    assert _refused(memory, "phone", "nonce") is None
    assert _refused(memory, "phone", "nonce", NONCE_SECONDS) is Refusal.REPLAYED
    assert _refused(memory, "phone", "nonce", NONCE_SECONDS + 1) is None


def test_the_requests_of_a_device_are_limited_for_a_time() -> None:
    memory = RequestMemory()
    for number in range(MAX_NONCES):
        assert _refused(memory, "phone", f"nonce-{number}", number / 1000) is None
    assert _refused(memory, "phone", "more", 1) is Refusal.TOO_MANY
    assert _refused(memory, "another phone", "more", 1) is None
    assert _refused(memory, "phone", "more", NONCE_SECONDS + 1) is None


def test_the_remembered_devices_are_bounded() -> None:
    memory = RequestMemory(most_devices=2)
    for device, nonce in (("first", "1"), ("second", "2"), ("first", "3"), ("third", "4")):
        assert _refused(memory, device, nonce) is None
    assert _refused(memory, "third", "4") is Refusal.REPLAYED
    assert _refused(memory, "first", "1") is Refusal.REPLAYED
    assert _refused(memory, "second", "2") is None
