"""The phone's side of a login: the authentication request, and what its answer decides."""

from datetime import datetime

from protocol.challenges import Claims, Proof, issue_challenge, verify_proof
from protocol.jose import SignatureError
from schemas.contract import AuthResponse, ChallengeIssued, Purpose, Verdict
from schemas.login_commands import SendPrompt
from services.common.decisions import Decision, UnacceptableError
from services.login.domain.accounts import withdrawals
from services.login.domain.rows import Account, EndReason, Happening, Login, LoginState, Prompt, Session
from services.login.domain.rules import Refused, Rules
from services.login.domain.settle import settle, tell

MOST_SESSIONS = 20
LATE = "late"
UNKNOWN = "unknown"


def decide_prompt(account: Account, command: SendPrompt, rules: Rules) -> Decision[Account]:
    """Ask the phone; one open request an account at a time. A second click changes nothing."""
    settled = settle(account, command.at)
    login = settled.login(command.login_id)
    if login is None or login.over:
        return Decision(settled, outcome=Refused.NO_LOGIN)
    if login.state is LoginState.PROMPTED:
        return Decision(settled)
    if login.state not in {LoginState.PAIRED, LoginState.READY} or not settled.devices:
        return Decision(settled, outcome=Refused.NOT_NOW)
    if settled.open_prompt() is not None:
        waiting = login.model_copy(update={"state": LoginState.READY})
        return Decision(settled.with_login(waiting), outcome=Refused.OTHER_PROMPT)
    return send_prompt(settled, login, command.challenge_id, command.at, rules)


def send_prompt(account: Account, login: Login, challenge_id: str, at: datetime, rules: Rules) -> Decision[Account]:
    """Send the authentication request of a login to the account's first phone."""
    device = account.devices[0]
    prompt = Prompt(
        challenge_id=challenge_id,
        device_id=device.device_id,
        device_name=device.name,
        issued_at=at,
        expires_at=min(at + rules.prompt_lifetime, login.expires_at),
    )
    claims = Claims(
        iss=rules.issuer,
        aud=device.device_id,
        jti=challenge_id,
        iat=int(at.timestamp()),
        exp=int(prompt.expires_at.timestamp()),
        purpose=Purpose.LOGIN,
        reply_key=account.account_id,
        service=rules.service_name,
        account_id=account.account_id,
        account_name=account.display_name,
        browser=login.browser,
    )
    issued = ChallengeIssued(
        challenge_id=challenge_id,
        device_id=device.device_id,
        reply_key=account.account_id,
        purpose=Purpose.LOGIN,
        challenge=issue_challenge(rules.key, claims),
        issued_at=at,
        expires_at=prompt.expires_at,
    )
    prompted = login.model_copy(update={"state": LoginState.PROMPTED, "prompt": prompt})
    return Decision(account.with_login(prompted), (issued,))


def decide_response(account: Account, response: AuthResponse, rules: Rules) -> Decision[Account]:
    """Let the login in, or end it, as the phone's owner says; only for exactly the request that was sent.

    A report counts even if its own login is over by then, such as by a cancel that crossed it: others may be pending.
    """
    proof = _check(response, rules)
    settled = settle(account, response.answered_at)
    login = _login_of(settled, proof.claims.jti)
    if login is None or login.prompt is None or settled.device(proof.device_id) is None:
        return Decision(settled, outcome=UNKNOWN)
    if login.state is not LoginState.PROMPTED and proof.verdict is not Verdict.REPORT:
        return Decision(settled, outcome=LATE)
    return _answered(settled, login, proof.verdict, response.answered_at, rules)


def _answered(account: Account, login: Login, verdict: Verdict, at: datetime, rules: Rules) -> Decision[Account]:
    match verdict:
        case Verdict.APPROVE:
            approved = login.model_copy(update={"state": LoginState.APPROVED, "ended_at": at})
            opened = _with_session(account.with_login(approved), login, at, rules)
            return Decision(tell(opened, Happening.SIGNED_IN, at, login))
        case Verdict.DENY:
            denied = account.with_login(login.ended(EndReason.DENIED, at))
            return Decision(tell(denied, Happening.LOGIN_DENIED, at, login))
        case Verdict.REPORT:
            ended = _all_ended(account, login, at)
            events = () if login.state is LoginState.PROMPTED else withdrawals(account)
            return Decision(tell(ended, Happening.LOGIN_REPORTED, at, login), events)


def _all_ended(account: Account, reported: Login, at: datetime) -> Account:
    ended = account
    for login in account.logins:
        if not login.over:
            reason = EndReason.REPORTED if login is reported else EndReason.REPORTED_ELSEWHERE
            ended = ended.with_login(login.ended(reason, at))
    return ended


def _with_session(account: Account, login: Login, at: datetime, rules: Rules) -> Account:
    session = Session(
        session_digest=login.session_digest,
        browser=login.browser,
        started_at=at,
        expires_at=at + rules.session_lifetime,
    )
    return account.model_copy(update={"sessions": (*account.sessions, session)[-MOST_SESSIONS:]})


def _login_of(account: Account, challenge_id: str) -> Login | None:
    return next((each for each in account.logins if each.prompt and each.prompt.challenge_id == challenge_id), None)


def _check(response: AuthResponse, rules: Rules) -> Proof:
    """Refuse a response that does not prove what it says."""
    try:
        proof = verify_proof(response.challenge, response.answer)
    except SignatureError as error:
        text = f"forged response: {error}"
        raise UnacceptableError(text) from error
    if proof.issuer_key not in rules.accepted_keys:
        text = "forged response: the challenge is not signed by this service"
        raise UnacceptableError(text)
    if (proof.claims.account_id, proof.claims.purpose) != (response.reply_key, Purpose.LOGIN):
        text = "forged response: the challenge is of something else"
        raise UnacceptableError(text)
    return proof
