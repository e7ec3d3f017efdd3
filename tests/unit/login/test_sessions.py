"""Sessions: how long they last, and how they are ended."""

from schemas.contract import ChallengeWithdrawn
from services.common.decisions import OK
from services.login.domain.history import HistoryKind
from services.login.domain.rejections import Rejection
from tests.builders import a_browser, a_digest, a_login, a_session, after
from tests.events import a_response, only
from tests.messages import a_send, a_sign_in, a_sign_out
from tests.session_messages import SESSION, a_confirmation, a_revocation, a_touch
from tests.unit.login.owner import Owner, asked, signed_in

OTHER = a_digest("another")


def _two() -> Owner:
    """Return an account that is signed in in two browsers."""
    return signed_in(sessions=(a_session(), a_session("another", browser=a_browser(name="Safari on iOS"))))


def test_an_idle_session_ends() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge))
    session = a_digest("session of login-1")
    assert owner.account.session(session, after(minutes=60)) is not None
    assert owner.account.session(session, after(minutes=60, seconds=0.001)) is None


def test_activity_keeps_a_session_open() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge))
    session = a_digest("session of login-1")
    for hour in range(1, 12):
        assert owner.take(a_touch(after(minutes=60 * hour), session)).outcome == OK
    assert owner.account.session(session, after(minutes=60 * 12)) is not None


def test_activity_cannot_extend_a_session_past_its_lifetime() -> None:
    owner, challenge = asked(session_idle_seconds=5 * 3600)
    owner.take(a_response(challenge))
    session = a_digest("session of login-1")
    for hour in (4, 8, 12):
        owner.take(a_touch(after(minutes=60 * hour), session))
    owner.refuse(a_touch(after(minutes=60 * 12, seconds=0.001), session), Rejection.NO_SESSION)


def test_an_idle_session_cannot_be_revived() -> None:
    owner = signed_in(sessions=(a_session(idle_until=after(60)),))
    owner.take(a_touch(after(60)))
    assert owner.take(a_touch(after(60, minutes=60.1))).outcome == Rejection.NO_SESSION
    assert owner.account.sessions == ()


def test_the_lifetimes_of_a_session_are_settings() -> None:
    owner, challenge = asked(session_seconds=9 * 60, session_idle_seconds=2 * 60)
    owner.take(a_response(challenge, at=after(1)))
    (session,) = owner.account.sessions
    assert (session.expires_at, session.idle_until) == (after(1, minutes=9), after(1, minutes=2))


def test_another_browser_can_be_signed_out_and_is_in_the_history() -> None:
    owner = _two()
    decision = owner.take(a_revocation(OTHER, after(5)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert [each.session_digest for each in owner.account.sessions] == [SESSION]
    entry = owner.account.history[-1]
    assert (entry.what, entry.browser) == (HistoryKind.SESSION_REVOKED, a_browser(name="Safari on iOS"))


def test_signing_another_browser_out_needs_no_confirmation() -> None:
    owner = signed_in(sessions=(a_session(confirmed_at=None), a_session("another")))
    assert owner.take(a_revocation(OTHER)).outcome == OK
    assert len(owner.account.sessions) == 1


def test_a_signed_out_browser_cannot_sign_others_out() -> None:
    owner = _two()
    owner.take(a_revocation(OTHER))
    owner.refuse(a_revocation(SESSION, session_digest=OTHER), Rejection.NO_SESSION)
    owner.refuse(a_touch(session_digest=OTHER), Rejection.NO_SESSION)


def test_signing_an_unknown_browser_out_changes_nothing() -> None:
    owner = _two()
    owner.ignore(a_revocation(a_digest("third")))


def test_a_signed_out_session_cannot_be_reopened_by_its_login() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge))
    owner.account = owner.account.with_login(a_login("login-2"))
    owner.take(a_sign_out(at=after(1)))
    assert owner.account.login("login-1") is None
    assert owner.account.login("login-2") is not None


def test_signing_a_session_out_withdraws_its_confirmations_challenge() -> None:
    for end in (a_revocation(SESSION, after(2), OTHER), a_revocation(SESSION, after(2), SESSION)):
        owner = _two()
        owner.take(a_confirmation())
        owner.challenge(a_send("confirm-1", after(1), "confirm-1"))
        withdrawn = only(owner.take(end).events, ChallengeWithdrawn)
        assert withdrawn.challenge_id == "confirm-1"
        assert owner.account.open_challenge() is None


def test_signing_a_session_out_keeps_another_logins_challenge() -> None:
    owner = _two()
    owner.challenge(a_sign_in())
    owner.take(a_confirmation(at=after(1)))
    assert owner.take(a_revocation(OTHER, after(2))).events == ()
    assert owner.account.open_challenge() == owner.login()
    assert owner.account.login("confirm-1") is not None
