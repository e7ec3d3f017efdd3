"""Watches each decision of the three services, and knows what people and phones really did."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from protocol.challenges import Claims, verify_challenge, verify_proof
from schemas.base import Message
from schemas.contract import AuthResponse, DevicePaired, PairingRequested, Purpose, Verdict
from schemas.login_messages import CountGuess
from schemas.pairing_messages import IssuePhrase
from services.common.decisions import OK, OUTDATED, REMEMBERED_COMMANDS, Decision
from services.common.telemetry.metrics import Metrics
from services.common.used_nonces import MAX_NONCES
from services.login.domain.account import Account
from services.login.domain.expire import expire
from services.login.domain.limits import Limits
from services.login.domain.login import Login, LoginState
from services.login.domain.rejections import Rejection
from services.login.metrics import AccountTally
from services.push.domain.channel import MOST_ENDED, MOST_PENDING, MOST_UNPAIRED, PendingChallenge
from tests.builders import PAIRING_LIMITS, Phone
from tests.model.account_checks import LOGIN_KEY, PAIRING_KEY, approved_by, check_account, check_decision
from tests.model.account_history import AccountHistory
from tests.model.failures import Failures
from tests.model.memory_kafka import (
    ACCOUNTS,
    CHANNELS,
    GUESSES,
    NAMES,
    PHRASES,
    REQUESTERS,
    Decided,
    MemoryKafka,
)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a phone really signed."""

    device_id: str
    claims: Claims
    issuer_key: str
    verdict: Verdict


class Oracle:
    """Knows what happened, and checks that what is decided follows from it.

    Attributes:
        signatures: What the phones signed.
        bypassed: Ids of the challenges that an attacker wrote about in Kafka, past the services' web sides.

    """

    def __init__(self, kafka: MemoryKafka, limits: Limits) -> None:
        self._kafka = kafka
        self._limits = limits
        self._histories: dict[str, AccountHistory] = {}
        self._guesses: dict[str, Failures] = {}
        self._first: dict[tuple[str, str], Decision[Any]] = {}
        self._ends: dict[tuple[str, str], Login] = {}
        self._paired: Counter[str] = Counter()
        self._claimed: dict[str, str] = {}
        self._read = 0
        self.signatures: list[Signature] = []
        self.bypassed: set[str] = set()

    def history(self, account_id: str) -> AccountHistory:
        """Return what happened to an account."""
        return self._histories.setdefault(account_id, AccountHistory(self._limits))

    def note_signature(self, phone: Phone, challenge: str, verdict: Verdict) -> None:
        """Note that a phone signs an answer."""
        claims, issuer_key = _verified(challenge)
        self.signatures.append(Signature(phone.device_id, claims, issuer_key, verdict))

    def read(self) -> None:
        """Check the decisions since the last look."""
        while self._read < len(self._kafka.decisions):
            decided = self._kafka.decisions[self._read]
            self._read += 1
            place = (decided.table.name, decided.event.id)
            if decided.decision.repeated:
                _check_repeat(self._first[place], decided)
            else:
                self._first[place] = decided.decision
                self._see(decided)

    def check(self) -> None:
        """Check how all stands now."""
        for name, account in self._kafka.rows(ACCOUNTS).items():
            check_account(self.history(name), account, self._kafka.now)
        _check_channels(self._kafka)
        if not self._kafka.waiting():
            self._check_names()
            self._check_phones()
            self._check_pairings()

    def finish(self) -> None:
        """Check what must hold once all has been decided: nothing was lost, and each thing was counted once."""
        published = {event.id for event in self._kafka.log}
        for (_, event_id), decision in self._first.items():
            for index, _ in enumerate(decision.events):
                assert f"{event_id}.{index}" in published, "a message was lost"
        for decided in self._kafka.decisions:
            self._check_again(decided)
        _check_counts(self._kafka)

    def _see(self, decided: Decided) -> None:
        message = decided.event.data
        if decided.table is ACCOUNTS and decided.decision.row is not None:
            self._see_account(decided)
        elif decided.table is PHRASES:
            self._see_phrase(decided)
        elif decided.table is GUESSES and isinstance(message, CountGuess):
            limits = self._limits.addresses if message.by_address else self._limits.passwords
            failures = self._guesses.setdefault(message.source, Failures(limits))
            if failures.paused(decided.event.time):
                assert decided.decision.outcome == Rejection.LOCKED, "a guess counted in a pause"
            else:
                failures.add(decided.event.time)
                # An address counts a try before it is made, so that the one that begins a pause is made, too.
                made = message.by_address or not failures.paused(decided.event.time)
                assert (decided.decision.outcome == OK) is made
        _check_bounds(decided)

    def _see_account(self, decided: Decided) -> None:
        message, at = decided.event.data, decided.event.time
        row: Account = decided.row
        history = self.history(message.key)
        history.note_drawn(message)
        history.pass_time(at)
        check_decision(history, message, at, decided.before, decided.decision)
        self._check_signed(decided)
        history.note(message, at, decided.decision.outcome, decided.decision.events)
        for login in approved_by(decided.before, row):
            history.note_approval(login, at)
        check_account(history, row, at)
        for login in row.logins:
            if login.over:
                end = self._ends.setdefault((row.account_id, login.login_id), login)
                # A report may still count, once.
                assert end == replace(login, challenge=end.challenge), "a login that was over went on"

    def _check_signed(self, decided: Decided) -> None:
        """Check that what was taken as a phone's word was signed by that phone, for this account."""
        message, before, after = decided.event.data, decided.before, decided.row
        if isinstance(message, DevicePaired) and before is not None and before.devices != after.devices:
            self._require_signature(message, PAIRING_KEY, Purpose.PAIRING, message.pairing_id, message.device_id)
        if isinstance(message, AuthResponse) and approved_by(before, after):
            challenge_id = verify_proof(message.challenge, message.answer).claims.jti
            device_id = self.history(message.key).open_challenges[challenge_id].device_id
            self._require_signature(message, LOGIN_KEY, Purpose.LOGIN, challenge_id, device_id)

    def _require_signature(
        self, message: Message, issuer_key: str, purpose: Purpose, challenge_id: str, device_id: str
    ) -> None:
        assert any(
            (each.issuer_key, each.claims.purpose, each.claims.jti) == (issuer_key, purpose, challenge_id)
            and (each.device_id, each.claims.aud, each.verdict) == (device_id, device_id, Verdict.APPROVE)
            and each.claims.account_id == message.key
            for each in self.signatures
        ), "what no phone approved"

    def _see_phrase(self, decided: Decided) -> None:
        """A phrase that was issued is claimed once, and pairs once, the phone that shows it."""
        message, digest = decided.event.data, decided.event.data.key
        if isinstance(message, IssuePhrase) and decided.decision.outcome == OK:
            self._paired[digest] = 0
            self._claimed.pop(digest, None)
        if isinstance(message, PairingRequested) and decided.decision.outcome == OK:
            assert digest not in self._claimed, "a phrase was claimed twice"
            self._claimed[digest] = message.pairing_id
            assert message.requested_at <= decided.before.expires_at, "a phrase was claimed too late"
        for each in decided.decision.events:
            if isinstance(each, DevicePaired):
                self._paired[digest] += 1
                assert self._paired[digest] == 1, "a phrase paired twice"
                assert self._claimed[digest] == each.pairing_id, "a phrase paired with who did not claim it"
                assert each.device_id == decided.before.device_id, "another phone than the phrase's"
                assert each.challenge == decided.before.claim.challenge, "an answer to another challenge"
                assert verify_proof(each.challenge, each.answer).verdict is Verdict.APPROVE, "paired by no approval"
                assert decided.event.time <= decided.before.claim.request.expires_at, "a phone paired too late"

    def _check_names(self) -> None:
        """Check that each name has one account, which is there, and each account its name."""
        claimed = {row.account_id: digest for digest, row in self._kafka.rows(NAMES).items() if row.account_id}
        there = {key: row for key, row in self._kafka.rows(ACCOUNTS).items() if row.removed_at is None}
        assert claimed == {key: row.name_digest for key, row in there.items()}, "a name without account, or another's"

    def _check_phones(self) -> None:
        """Check what the phones show once all has arrived: a challenge only for the login that waits for it."""
        for each in self._shown(Purpose.LOGIN):
            account: Account | None = self._kafka.row(ACCOUNTS, each.reply_key)
            assert account is not None
            waiting = expire(account, self._kafka.now, self._limits).open_challenge()
            assert waiting is not None, "a phone is asked for a login that does not wait"
            assert waiting.challenge is not None
            assert waiting.challenge.challenge_id == each.challenge_id, "a phone is asked for another login"

    def _check_pairings(self) -> None:
        """Check that a phone is asked to pair only while a login waits for it."""
        now = self._kafka.now
        waiting = {
            login.pairing.pairing_id
            for account in self._kafka.rows(ACCOUNTS).values()
            for login in expire(account, now, self._limits).logins
            if login.pairing is not None and login.waits_for_phone(now)
        }
        assert {each.challenge_id for each in self._shown(Purpose.PAIRING)} <= waiting, "nobody waits for this pairing"

    def _shown(self, purpose: Purpose) -> list[PendingChallenge]:
        """Return what all phones show, but for what an attacker wrote about."""
        open_now = (each for row in self._kafka.rows(CHANNELS).values() for each in row.open_at(self._kafka.now))
        return [each for each in open_now if each.purpose is purpose and each.challenge_id not in self.bypassed]

    def _check_again(self, decided: Decided) -> None:
        """Check that an event which its row remembers would change nothing if it came again now."""
        row = self._kafka.row(decided.table, decided.event.data.key)
        if row is not None and row.outcome_of(decided.event.id) is not None:
            again = self._kafka.decide(decided.table, row, decided.event)
            first = self._first[decided.table.name, decided.event.id]
            _check_repeat(first, Decided(decided.table, row, decided.event, again))


@cache
def _verified(challenge: str) -> tuple[Claims, str]:
    """Return a challenge's claims and its key; it is looked at again and again."""
    return verify_challenge(challenge)


def _check_repeat(first: Decision[Any], again: Decided) -> None:
    """A repeated event changes nothing, and leads to the same or to nothing; to nothing if its row has forgotten it."""
    assert again.decision.row == again.before, "a repeat changed something"
    assert again.decision.outcome in {first.outcome, OUTDATED}, "a repeat came to something else"
    same = {(), first.events} if again.decision.outcome != OUTDATED else {()}
    assert again.decision.events in same, "a repeat led to something else"


def _check_channels(kafka: MemoryKafka) -> None:
    for device_id, channel in kafka.rows(CHANNELS).items():
        for each in channel.pending:
            claims, _ = _verified(each.challenge)
            assert claims.aud == device_id, "a device was given a challenge that is not its own"
        ended = {each.challenge_id for each in channel.ended}
        assert len(ended) == len(channel.ended), "a challenge ended twice"
        assert not ended & {each.challenge_id for each in channel.pending}, "a device shows what has ended"


def _check_bounds(decided: Decided) -> None:
    """Check that no row grows without end."""
    row = decided.decision.row
    if row is None:
        return
    topics = Counter(each.topic for each in row.processed)
    assert all(count <= REMEMBERED_COMMANDS for count in topics.values())
    assert len({each.topic for each in row.forgotten}) == len(row.forgotten)
    assert len({each.topic for each in row.last_outputs}) == len(row.last_outputs)
    if decided.table is REQUESTERS:
        assert len(row.issued) <= PAIRING_LIMITS.phrases.most
        assert len(row.nonces) <= MAX_NONCES
    if decided.table is CHANNELS:
        assert len(row.pending) <= MOST_PENDING
        assert len(row.ended) <= MOST_ENDED
        assert len(row.unpaired) <= MOST_UNPAIRED


def _check_counts(kafka: MemoryKafka) -> None:
    """Check that what began was counted once, and what ended as well, whatever came again."""
    metrics = Metrics()
    tally = AccountTally(metrics)
    for each in kafka.decisions:
        # Repeats as well, which the processor leaves out: the rows alone must tell that nothing happened.
        if each.table is ACCOUNTS:
            tally.count(each.before, each.event, each.decision)
    counted = {
        family.name.removeprefix("countersign_"): sum(
            sample.value for sample in family.samples if sample.name.endswith("_total")
        )
        for family in metrics.registry.collect()
    }
    logins = [login for row in kafka.rows(ACCOUNTS).values() for login in row.logins]
    challenged = [login for login in logins if login.state is LoginState.CHALLENGED]
    pairing = [each for each in logins if each.state is LoginState.PAIRING and each.pairing.failure is None]
    assert counted["logins_begun"] == counted["logins"] + sum(1 for login in logins if not login.over)
    assert counted["login_challenges_sent"] == counted["login_challenges"] + len(challenged)
    assert counted["pairings_begun"] == counted["pairings"] + len(pairing)
