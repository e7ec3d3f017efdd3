"""Which requests get a phrase: each request once, one phrase at a time, with a limit."""

from protocol.signed_requests import Refusal
from schemas.pairing_messages import ForgetRequester, IssuePhrase, RequestPhrase, RetirePhrase
from services.common.decisions import OK, Decision, decide_once
from services.common.used_nonces import NONCE_SECONDS
from services.pairing.domain.requester import Requester, decide_requester
from services.pairing.tables import REQUESTERS
from tests.builders import PAIRING_LIMITS, a_digest, a_phone, after, an_event, pairing_policy, present
from tests.events import PHRASE, only
from tests.messages import a_phrase_request, an_issue

WINDOW = PAIRING_LIMITS.phrases


def _ask(row: Requester | None, request: RequestPhrase) -> Decision[Requester]:
    return decide_once(row, an_event(request), lambda known, event: decide_requester(known, event, pairing_policy()))


def _asked(*requests: RequestPhrase) -> Requester:
    row: Requester | None = None
    for request in requests:
        row = _ask(row, request).row
    return present(row)


def test_a_request_issues_a_phrase() -> None:
    decision = _ask(None, a_phrase_request())
    assert decision.outcome == OK
    issued = only(decision.events, IssuePhrase)
    assert issued == an_issue()
    assert decision.row is not None
    assert (decision.row.device_id, decision.row.phrase_digest) == (a_phone().device_id, PHRASE)


def test_the_second_phrase_retires_the_first() -> None:
    row = _asked(a_phrase_request("nonce-1"))
    second = a_digest("amber badger")
    decision = _ask(row, a_phrase_request("nonce-2", after(10), phrase_digest=second))
    retired, issued = decision.events
    assert retired == RetirePhrase(phrase_digest=PHRASE, device_id=a_phone().device_id, at=after(10))
    assert isinstance(issued, IssuePhrase)
    assert issued.phrase_digest == second


def test_a_phrase_drawn_again_does_not_retire_itself() -> None:
    row = _asked(a_phrase_request("nonce-1"))
    only(_ask(row, a_phrase_request("nonce-2", after(10))).events, IssuePhrase)


def test_a_replayed_request_is_refused() -> None:
    row = _asked(a_phrase_request("nonce-1"))
    replayed = _ask(row, a_phrase_request("nonce-1", after(10), phrase_digest=a_digest("amber badger")))
    assert (replayed.outcome, replayed.events) == (Refusal.REPLAYED, ())
    assert present(replayed.row).phrase_digest == PHRASE


def test_a_nonce_is_kept_while_it_can_be_replayed() -> None:
    row = _asked(a_phrase_request("nonce-1"))
    assert _ask(row, a_phrase_request("nonce-1", after(NONCE_SECONDS))).outcome == Refusal.REPLAYED


def _busy() -> Requester:
    return _asked(
        *(
            a_phrase_request(f"nonce-{number}", after(number), phrase_digest=a_digest(f"phrase {number}"))
            for number in range(WINDOW.most)
        )
    )


def test_the_number_of_phrases_per_device_is_limited() -> None:
    refused = _ask(_busy(), a_phrase_request("one-more", after(WINDOW.most)))
    assert (refused.outcome, refused.events) == (Refusal.TOO_MANY, ())
    last_moment = WINDOW.window_seconds - 1
    assert _ask(_busy(), a_phrase_request("one-more", after(last_moment))).outcome == Refusal.TOO_MANY
    assert _ask(_busy(), a_phrase_request("one-more", after(last_moment + 1))).outcome == OK


def test_a_refused_request_keeps_the_current_phrase() -> None:
    refused = _ask(_busy(), a_phrase_request("one-more", after(WINDOW.most)))
    assert present(refused.row).phrase_digest == a_digest(f"phrase {WINDOW.most - 1}")


def test_a_requesters_history_is_bounded() -> None:
    row = _busy()
    for number in range(5 * WINDOW.most):
        at = after(WINDOW.most + 60 * number)
        request = a_phrase_request(f"later-{number}", at, phrase_digest=a_digest(f"later {number}"))
        row = present(_ask(row, request).row)
        assert len(row.issued) <= WINDOW.most
        assert len(row.nonces) <= WINDOW.most + 1


def test_unrelated_events_leave_a_requester_unchanged() -> None:
    row = _asked(a_phrase_request())
    decision = decide_requester(row, an_event(an_issue()), pairing_policy())
    assert (decision.row, decision.events, decision.outcome) == (row, (), OK)


def test_a_device_whose_requests_no_longer_count_is_forgotten() -> None:
    row = _asked(a_phrase_request("nonce-1"), a_phrase_request("nonce-2", after(100)))
    sweep = present(REQUESTERS.sweep)
    for at, forgotten in ((after(100 + WINDOW.window_seconds), False), (after(100.001 + WINDOW.window_seconds), True)):
        command = ForgetRequester(device_id=a_phone().device_id, at=at)
        assert sweep.forget(row, at, pairing_policy()) == (command if forgotten else None)
        decision = decide_requester(row, an_event(command), pairing_policy())
        assert (decision.row is None, decision.events) == (forgotten, ())


def test_a_device_is_not_forgotten_while_it_shows_a_phrase() -> None:
    policy = pairing_policy(phrase_seconds=3600)
    row = present(decide_requester(None, an_event(a_phrase_request("nonce-1")), policy).row)
    assert present(REQUESTERS.sweep).forget(row, after(minutes=60), policy) is None
    assert present(REQUESTERS.sweep).forget(row, after(minutes=60, seconds=1), policy) is not None


def test_an_unknown_device_is_forgotten_already() -> None:
    assert (
        decide_requester(
            None, an_event(ForgetRequester(device_id=a_phone().device_id, at=after())), pairing_policy()
        ).row
        is None
    )
