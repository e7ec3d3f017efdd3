"""What people saw at browsers and phones is what the log holds."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from lab.chaos.claims.claim import Claim, Finding, claim
from lab.chaos.evidence import RunRecords
from lab.chaos.history import Attempt, Ending, FaultResult, Habit, PhoneAnswer
from lab.chaos.people import PATIENCE_SECONDS
from lab.chaos.schedule import FaultKind
from protocol.challenges import verify_proof
from protocol.jose import SignatureError
from schemas.contract import AuthResponse, DevicePaired, Purpose, Verdict
from schemas.login_messages import UseCode
from services.common.decisions import OK
from services.login.domain.account import Account
from services.login.domain.history import Method
from services.login.domain.login import Login, LoginState
from services.login.tables import ACCOUNTS
from services.pairing.tables import PHRASES

DEADLINE: Final = timedelta(seconds=PATIENCE_SECONDS + 15)
"""After so long each person knows how an attempt ended; the margin is for the browser's last page."""
HONEST: Final = frozenset({Habit.APPROVE, Habit.TWICE})
"""The habits with which a person has to get in."""
CLOCK_FOLLOWS: Final = timedelta(seconds=1)
"""How long after it was set an instance's clock is right again."""


def check(evidence: RunRecords) -> Iterator[Claim]:
    """Check what people saw."""
    log = _Log(evidence)
    yield claim(
        "Every completed sign-in has one valid signed answer, or one accepted code, in the log",
        (log.proof_of(each) for each in evidence.attempts if each.ending is Ending.SIGNED_IN),
    )
    yield claim(
        "Every accepted answer is in the log unchanged, with one decision",
        (log.decision_on(each) for each in evidence.answers if not each.refusal),
    )
    yield claim(
        "Every refused answer had no effect",
        (log.refusal_of(each) for each in evidence.answers if each.refusal in _REFUSED_FOR_GOOD),
    )
    yield claim(
        "Every answered challenge has one answer that counts",
        (_once("challenge", *each) for each in log.answered.items()),
    )
    yield claim("Every used phrase paired one phone", (_once("pairing", *each) for each in log.paired.items()))
    yield claim("Every time step was accepted once", (_rising(*each) for each in log.steps.items()))
    yield claim(
        "Every approval in time completes its sign-in, except while a clock is wrong",
        (
            _got_in(each)
            for each in evidence.attempts
            if each.habit in HONEST and not _meets_wrong_clock(each, evidence)
        ),
    )
    yield claim(
        "Every attempt to sign in had a clear outcome before the deadline", (_clear(each) for each in evidence.attempts)
    )


_DOES_NOT_COUNT: Final = frozenset({"late", "unknown", "decided_before", "not_answered"})
"""How issuers decide on answers that came after another one, too late, or for nothing."""
_REFUSED_FOR_GOOD: Final = frozenset({"expired", "already-answered", "unknown-challenge"})


class _Log:
    """The log, looked up by what clients know."""

    def __init__(self, evidence: RunRecords) -> None:
        self._evidence = evidence
        self.responses: dict[str, dict[str, AuthResponse]] = defaultdict(dict)
        self._answered_at: dict[str, datetime] = {}
        self.paired: dict[str, set[str]] = defaultdict(set)
        self.steps: dict[tuple[str, str], list[int]] = defaultdict(list)
        codes: dict[str, UseCode] = {}
        for event in (logged.event for logged in evidence.logged_events):
            match event.data:
                case AuthResponse() as response if not self._is_void(event.id, response.purpose):
                    # The same answer again is the same event, signed anew; the first one was decided on.
                    self.responses[response.challenge_id].setdefault(event.id, response)
                    self._answered_at.setdefault(event.id, event.time)
                case DevicePaired() as paired:
                    self.paired[verify_proof(paired.challenge, paired.answer).claims.reply_key].add(event.id)
                case UseCode() as code:
                    codes[event.id] = code
                case _:
                    pass
        self.answered = {challenge: set(found) for challenge, found in self.responses.items()}
        self._codes_taken: dict[tuple[str, str], int] = defaultdict(int)
        for event_id, code in codes.items():
            if evidence.outcomes[ACCOUNTS.changelog.name].get(event_id) == {OK}:
                self.steps[code.account_id, code.method_id].append(code.time_step)
                self._codes_taken[code.account_id, code.login_id] += 1

    def proof_of(self, attempt: Attempt) -> Finding:
        """Return what is wrong with a sign-in that a browser saw succeed."""
        name = f"sign-in of {attempt.account_id} at {attempt.began:%H:%M:%S}"
        found = self._approved(attempt)
        if found is None:
            return f"{name}: the log holds no approved login of it"
        account, login = found
        if login.method is Method.PHONE_CODE:
            taken = self._codes_taken[account.account_id, login.login_id]
            return None if taken == 1 else f"{name}: {taken} codes were taken for it"
        if login.method is not Method.PUSH or login.challenge is None:
            return f"{name}: approved by {login.method}, which no person used"
        return self._proven(name, account, login, login.challenge.challenge_id)

    def decision_on(self, answer: PhoneAnswer) -> Finding:
        """Return what is wrong with an answer that a phone saw accepted."""
        name = f"answer to {answer.challenge_id} of {answer.account_id}"
        found = self.responses.get(answer.challenge_id, {})
        if len(found) != 1:
            return f"{name}: {len(found)} answers are in the log"
        ((event_id, response),) = found.items()
        if response.verdict is not answer.verdict:
            return f"{name}: the phone sent {answer.verdict}, and the log holds {response.verdict}"
        outcomes = self._outcomes(event_id, answer.purpose)
        return None if len(outcomes) == 1 else f"{name}: {len(outcomes)} decisions on it: {sorted(outcomes)}"

    def refusal_of(self, answer: PhoneAnswer) -> Finding:
        """Return what is wrong with an answer that a phone saw refused."""
        found = self.responses.get(answer.challenge_id, {}).values()
        if answer.refusal == "already-answered":
            return None if found else f"answer to {answer.challenge_id}: refused as a second one, and there is no first"
        counted = [each for each in found if each.verdict is answer.verdict]
        return f"answer to {answer.challenge_id}: refused ({answer.refusal}), and in the log" if counted else None

    def _outcomes(self, event_id: str, purpose: Purpose) -> set[str]:
        changelog = (ACCOUNTS if purpose is Purpose.LOGIN else PHRASES).changelog
        return self._evidence.outcomes[changelog.name].get(event_id, set())

    def _is_void(self, event_id: str, purpose: Purpose) -> bool:
        """Return whether the issuer decided that an answer does not count."""
        outcomes = self._outcomes(event_id, purpose)
        return bool(outcomes) and outcomes <= _DOES_NOT_COUNT

    def _approved(self, attempt: Attempt) -> tuple[Account, Login] | None:
        for account in self._evidence.accounts(attempt.account_id):
            login = account.login_by_digest(attempt.login_digest)
            if login is not None and login.state is LoginState.APPROVED:
                return account, login
        return None

    def _proven(self, name: str, account: Account, login: Login, challenge_id: str) -> Finding:
        found = self.responses.get(challenge_id, {})
        if len(found) != 1:
            return f"{name}: {len(found)} answers to its request are in the log"
        ((event_id, response),) = found.items()
        try:
            proof = verify_proof(response.challenge, response.answer)
        except SignatureError as error:
            return f"{name}: its answer's signature does not hold: {error}"
        signed = (proof.verdict, proof.claims.jti, proof.claims.account_id, proof.claims.purpose)
        if signed != (Verdict.APPROVE, challenge_id, account.account_id, Purpose.LOGIN):
            return f"{name}: its answer is of something else: {signed}"
        if proof.issuer_key not in self._evidence.policies.login_keys:
            return f"{name}: its request was not signed by the service"
        if account.device(proof.device_id) is None:
            return f"{name}: it was answered by a phone that was not paired"
        return (
            None if login.ended_at == self._answered_at[event_id] else f"{name}: approved at another time than answered"
        )


def _once(what: str, name: str, event_ids: set[str]) -> Finding:
    return None if len(event_ids) == 1 else f"{what} {name} was answered by {sorted(event_ids)}"


def _rising(method: tuple[str, str], steps: list[int]) -> Finding:
    return None if len(steps) == len(set(steps)) else f"codes of {method[0]}: steps {sorted(steps)} were used"


def _meets_wrong_clock(attempt: Attempt, evidence: RunRecords) -> bool:
    """Return whether a clock was wrong during an attempt: its instance may refuse as expired what is not."""
    steps: list[FaultResult] = [each for each in evidence.faults if each.fault == FaultKind.STEP_CLOCK]
    return any(each.began_at <= attempt.ended and attempt.began <= each.repaired_at + CLOCK_FOLLOWS for each in steps)


def _got_in(attempt: Attempt) -> Finding:
    name = f"sign-in of {attempt.account_id} at {attempt.began:%H:%M:%S}"
    return None if attempt.ending is Ending.SIGNED_IN else f"{name} ended {attempt.ending}: {attempt.last_page}"


def _clear(attempt: Attempt) -> Finding:
    name = f"sign-in of {attempt.account_id} at {attempt.began:%H:%M:%S}"
    if attempt.ending is Ending.UNCLEAR:
        return f"{name} had no clear outcome: {attempt.last_page}"
    return None if attempt.ended - attempt.began <= DEADLINE else f"{name} took {attempt.ended - attempt.began}"
