"""The phone's side of a login: the authentication request, and what its answer decides."""

from datetime import datetime
from typing import Final

from protocol.challenges import Claims, Proof, issue_challenge
from schemas.contract import AuthResponse, ChallengeIssued, Purpose, Verdict
from schemas.login_commands import SendChallenge
from services.common.decisions import Decision, UnacceptableError
from services.common.proofs import read_proof
from services.login.domain import push
from services.login.domain.account import Account
from services.login.domain.approval import approve
from services.login.domain.expire import expire, with_history
from services.login.domain.history import HistoryKind, Method
from services.login.domain.limits import Rejection, Rules
from services.login.domain.login import EndReason, Login, LoginChallenge, LoginKind, LoginState
from services.login.domain.methods import Device
from services.login.domain.numbers import number_of
from services.login.domain.reports import report

CONFIRMATION: Final = "Confirm a change of how this account signs in"
LATE: Final = "late"
UNKNOWN: Final = "unknown"


def decide_challenge(account: Account, command: SendChallenge, rules: Rules) -> Decision[Account]:  # noqa: PLR0911 - one line a case
    """Ask the phone; one open request an account at a time. A second click changes nothing."""
    settled = expire(account, command.at)
    login = settled.login(command.login_id)
    if login is None or login.over:
        return Decision(settled, outcome=Rejection.NO_LOGIN)
    if login.state is LoginState.CHALLENGED:
        return Decision(settled)
    if login.state not in {LoginState.PAIRED, LoginState.READY}:
        return Decision(settled, outcome=Rejection.NOT_NOW)
    if login.kind is LoginKind.ADD_PHONE:
        done = login.model_copy(update={"state": LoginState.APPROVED, "ended_at": command.at})
        return Decision(settled.with_login(done))
    ready = settled.with_login(login.model_copy(update={"state": LoginState.READY}))
    refusal = challenge_rejection(ready, command.at, rules)
    if refusal is not None:
        return Decision(ready, outcome=refusal)
    device = ready.devices[0] if command.device_id is None else ready.device(command.device_id)
    if device is None:
        return Decision(ready, outcome=Rejection.UNKNOWN_METHOD)
    return send_challenge(ready, login, device, challenge_id=command.challenge_id, at=command.at, rules=rules)


def challenge_rejection(account: Account, at: datetime, rules: Rules) -> Rejection | None:
    """Return why no request may be sent to an account's phones just now, or None if one may.

    Args:
        account: The account, settled.
        at: Now.
        rules: The limits.

    """
    if not account.devices:
        return Rejection.NOT_NOW
    if account.push.reported is not None:
        return Rejection.PUSH_LOCKED
    if account.open_challenge() is not None:
        return Rejection.OTHER_CHALLENGE
    return None if push.next_push_at(account, at, rules) is None else Rejection.PUSH_PAUSED


def send_challenge(  # noqa: PLR0913 - whom, for what, under which id, when, by which rules
    account: Account, login: Login, device: Device, *, challenge_id: str, at: datetime, rules: Rules
) -> Decision[Account]:
    """Send the authentication request of a login to a phone."""
    challenge = LoginChallenge(
        challenge_id=challenge_id,
        device_id=device.device_id,
        device_name=device.name,
        issued_at=at,
        expires_at=min(at + rules.prompt_lifetime, login.expires_at),
        number_matching=rules.number_matching,
    )
    issued = ChallengeIssued(
        challenge_id=challenge_id,
        device_id=device.device_id,
        reply_key=account.account_id,
        purpose=Purpose.LOGIN,
        challenge=issue_challenge(rules.key, _claims(account, login, challenge, rules)),
        issued_at=at,
        expires_at=challenge.expires_at,
    )
    challenged = login.model_copy(update={"state": LoginState.CHALLENGED, "challenge": challenge})
    return Decision(push.sent(account.with_login(challenged), at, rules), (issued,))


def decide_response(account: Account, response: AuthResponse, rules: Rules) -> Decision[Account]:
    """Let the login in, or end it, as the phone's owner says; only for exactly the request that was sent.

    A report counts even if its own login is over by then, such as by a cancel that crossed it: others may be pending.
    """
    proof = _check(response, rules)
    settled = expire(account, response.answered_at)
    login = _login_of(settled, proof.claims.jti)
    if login is None or login.challenge is None or settled.device(proof.device_id) is None:
        return Decision(settled, outcome=UNKNOWN)
    if login.state is not LoginState.CHALLENGED and proof.verdict is not Verdict.REPORT:
        return Decision(settled, outcome=LATE)
    return _answered(settled, login, proof, response.answered_at, rules)


def _answered(account: Account, login: Login, proof: Proof, at: datetime, rules: Rules) -> Decision[Account]:
    if proof.verdict is Verdict.REPORT:
        return report(account, login, at)
    if proof.verdict is Verdict.DENY:
        return Decision(_refused(account, login, EndReason.DENIED, HistoryKind.LOGIN_DENIED, at))
    if proof.claims.number_matching and proof.number != number_of(rules.number_key, proof.claims.jti):
        return Decision(_refused(account, login, EndReason.WRONG_NUMBER, HistoryKind.WRONG_NUMBER, at))
    return Decision(approve(account, login, Method.PUSH, at, rules))


def _refused(account: Account, login: Login, reason: EndReason, what: HistoryKind, at: datetime) -> Account:
    ended = push.count_denial(account.with_login(login.ended(reason, at)), at)
    return with_history(ended, what, at, login)


def _claims(account: Account, login: Login, challenge: LoginChallenge, rules: Rules) -> Claims:
    first_time = login.browser_digest is not None and login.browser_digest not in account.known_browsers
    return Claims(
        iss=rules.issuer,
        aud=challenge.device_id,
        jti=challenge.challenge_id,
        iat=int(challenge.issued_at.timestamp()),
        exp=int(challenge.expires_at.timestamp()),
        purpose=Purpose.LOGIN,
        reply_key=account.account_id,
        service=rules.service_name,
        account_id=account.account_id,
        account_name=account.display_name,
        browser=login.browser.model_copy(update={"first_time": first_time}),
        action=CONFIRMATION if login.kind is LoginKind.CONFIRM else "",
        number_matching=challenge.number_matching,
    )


def _login_of(account: Account, challenge_id: str) -> Login | None:
    return next(
        (each for each in account.logins if each.challenge and each.challenge.challenge_id == challenge_id), None
    )


def _check(response: AuthResponse, rules: Rules) -> Proof:
    """Refuse a response that does not prove what it says."""
    proof = read_proof(response, rules.accepted_keys)
    if (proof.claims.account_id, proof.claims.purpose) != (response.reply_key, Purpose.LOGIN):
        text = "forged response: the challenge is of something else"
        raise UnacceptableError(text)
    return proof
