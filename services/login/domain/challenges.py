"""Challenges of logins: sending them, and deciding on the phone's answer."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from protocol.challenges import Claims, Proof
from schemas.contract import AuthResponse, ChallengeEnded, ChallengeIssued, ChallengeOutcome, Purpose, Verdict
from schemas.login_messages import EmailKind, SendChallenge
from services.common.decisions import Decision, UnacceptableError
from services.login.domain.account import Account, Reported
from services.login.domain.approval import approve
from services.login.domain.emails import email_due
from services.login.domain.history import HistoryKind, Method
from services.login.domain.limits import Limits
from services.login.domain.login import EndReason, Login, LoginChallenge, LoginKind, LoginState
from services.login.domain.methods import Device
from services.login.domain.policy import Policy
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import answered, withdrawn

CONFIRMATION: Final = "Confirm a change of how this account signs in"


def send(account: Account, login: Login, command: SendChallenge, at: datetime, policy: Policy) -> Decision[Account]:
    """Challenge a phone; an account has one open challenge at a time. A repeated command changes nothing."""
    if login.state is LoginState.CHALLENGED:
        return Decision(account)
    if login.state not in {LoginState.PAIRED, LoginState.READY}:
        return Decision(account, outcome=Rejection.NOT_NOW)
    if login.kind is LoginKind.ADD_PHONE:
        return Decision(account.with_login(replace(login, state=LoginState.APPROVED, ended_at=at)))
    ready = account.with_login(replace(login, state=LoginState.READY))
    rejection = challenge_rejection(ready, at, policy.limits)
    if rejection is not None:
        return Decision(ready, outcome=rejection)
    device = ready.devices[0] if command.device_id is None else ready.device(command.device_id)
    if device is None:
        return Decision(ready, outcome=Rejection.UNKNOWN_METHOD)
    return send_challenge(ready, login, device, challenge_id=command.challenge_id, at=at, policy=policy)


def challenge_rejection(account: Account, at: datetime, limits: Limits) -> Rejection | None:
    """Return why no challenge may be sent to an expired account's phones now, or None if one may."""
    if not account.devices:
        return Rejection.NOT_NOW
    if account.push.reported is not None:
        return Rejection.PUSH_LOCKED
    if account.open_challenge() is not None:
        return Rejection.OTHER_CHALLENGE
    return None if account.push.next_at(at, limits) is None else Rejection.PUSH_PAUSED


def send_challenge(  # noqa: PLR0913 - a challenge's facts
    account: Account, login: Login, device: Device, *, challenge_id: str, at: datetime, policy: Policy
) -> Decision[Account]:
    """Send the challenge of a login to a phone."""
    challenge = LoginChallenge(
        challenge_id=challenge_id,
        device_id=device.device_id,
        device_name=device.name,
        issued_at=at,
        expires_at=min(at + policy.limits.challenge_lifetime, login.expires_at),
        number_matching=policy.limits.number_matching,
    )
    issued = ChallengeIssued(
        challenge_id=challenge_id,
        device_id=device.device_id,
        reply_key=account.account_id,
        purpose=Purpose.LOGIN,
        challenge=policy.signer.sign_challenge(_claims(account, login, challenge, policy)),
        issued_at=at,
        expires_at=challenge.expires_at,
    )
    challenged = account.with_login(replace(login, state=LoginState.CHALLENGED, challenge=challenge))
    return Decision(challenged.with_challenge_counted(at, policy.limits), (issued,))


def answer(
    account: Account, login: Login | None, response: AuthResponse, at: datetime, policy: Policy
) -> Decision[Account]:
    """Approve or end a login by the phone's answer to its challenge, and tell the phone how the challenge ended.

    The first answer counts, and each further one gets its outcome. Only a report counts even if the login is over,
    once: others may be open, and the person may have approved by mistake.

    Raises:
        UnacceptableError: If the response is forged.

    """
    proof = policy.signer.verify_response(response)
    claims = proof.claims
    if (claims.account_id, claims.purpose, claims.jti) != (response.reply_key, Purpose.LOGIN, response.challenge_id):
        text = "forged response: its challenge is for another login"
        raise UnacceptableError(text)
    if login is None or login.challenge is None or account.device(proof.device_id) is None:
        ended = ChallengeEnded(challenge_id=claims.jti, device_id=proof.device_id, outcome=ChallengeOutcome.WITHDRAWN)
        return Decision(account, (ended,), Rejection.UNKNOWN)
    if proof.answer_id == login.challenge.answer_id:
        return Decision(account, answered(login))
    late_report = proof.verdict is Verdict.REPORT and login.challenge.verdict is not Verdict.REPORT
    if login.state is not LoginState.CHALLENGED and not late_report:
        return Decision(account, answered(login), Rejection.LATE)
    challenge = replace(login.challenge, answer_id=proof.answer_id, verdict=proof.verdict)
    taken = replace(login, challenge=challenge)
    decided = _decide_verdict(account.with_login(taken), taken, proof, at, policy)
    after = None if decided.row is None else decided.row.login(login.login_id)
    return Decision(decided.row, (*decided.events, *(() if after is None else answered(after))))


def _decide_verdict(account: Account, login: Login, proof: Proof, at: datetime, policy: Policy) -> Decision[Account]:
    limits = policy.limits
    if proof.verdict is Verdict.REPORT:
        return _report(account, login, at)
    if proof.verdict is Verdict.DENY:
        return Decision(_denied(account, login, EndReason.DENIED, HistoryKind.LOGIN_DENIED, at, limits))
    if proof.claims.number_matching and proof.number != policy.signer.number_of(proof.claims.jti):
        return Decision(_denied(account, login, EndReason.WRONG_NUMBER, HistoryKind.WRONG_NUMBER, at, limits))
    return Decision(approve(account, login, Method.PUSH, at, limits))


def _denied(  # noqa: PLR0913, PLR0917 - a denial's facts
    account: Account, login: Login, reason: EndReason, what: HistoryKind, at: datetime, limits: Limits
) -> Account:
    ended = account.with_login(login.ended(reason, at)).with_denial_counted(at, limits)
    return ended.with_history(what, at, login)


def _report(account: Account, login: Login, at: datetime) -> Decision[Account]:
    """End all access after a report ("It wasn't me"): the password is compromised.

    All logins end, all browsers are signed out and no longer remembered, the login's is no longer known, and no
    challenge is sent until the password is changed. The reported login may be over.
    """
    others = tuple(each for each in account.logins if each is not login)
    ended = account.with_ended((login,), EndReason.REPORTED, at)
    ended = ended.with_ended(others, EndReason.REPORTED_ELSEWHERE, at)
    ended = ended.with_history(HistoryKind.LOGIN_REPORTED, at, login)
    reported = Reported(browser=login.browser, started_at=login.started_at, at=at)
    known = tuple(each for each in ended.known_browsers if each != login.browser_digest)
    closed = replace(
        ended, push=replace(ended.push, reported=reported), sessions=(), remembered=(), known_browsers=known
    )
    email = email_due(account, EmailKind.SIGN_IN_REPORTED, at, login.browser)
    return Decision(closed.with_history(HistoryKind.PUSH_LOCKED, at), (*withdrawn(others, at), *email))


def _claims(account: Account, login: Login, challenge: LoginChallenge, policy: Policy) -> Claims:
    first_time = login.browser_digest is not None and login.browser_digest not in account.known_browsers
    return Claims(
        iss=policy.signer.issuer,
        aud=challenge.device_id,
        jti=challenge.challenge_id,
        iat=int(challenge.issued_at.timestamp()),
        exp=int(challenge.expires_at.timestamp()),
        purpose=Purpose.LOGIN,
        reply_key=account.account_id,
        service=policy.signer.service_name,
        account_id=account.account_id,
        account_name=account.full_name,
        browser=login.browser.as_first_time(first_time=first_time),
        action=CONFIRMATION if login.kind is LoginKind.CONFIRM else "",
        number_matching=challenge.number_matching,
    )
