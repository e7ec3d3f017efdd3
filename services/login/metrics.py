"""The login service's metrics of decisions on accounts."""

from typing import Final

from schemas.base import Message
from schemas.codec import Event
from services.common.decisions import Decision
from services.common.telemetry.metrics import Metrics
from services.login.domain import outcomes
from services.login.domain.account import Account
from services.login.domain.outcomes import AttemptOutcome, EndedAttempt

ANSWERS_SECONDS: Final = (1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0)
"""Histogram buckets for the time that people take to answer."""
NO_METHOD: Final = "none"


class AccountTally:
    """Counts the outcomes of decisions on accounts, each decision once (`services.common.streams.processor`).

    Attributes:
        logins_begun: By kind.
        logins: Those that ended, by kind, outcome and method.
        challenges_sent: Challenges sent to phones.
        challenges: Challenges that ended, by outcome.
        pairings_begun: Phrases entered.
        pairings: Pairings that ended, by outcome.
        answer_seconds: From the challenge to the phone's answer, by purpose.
        reports: Answers "It wasn't me".

    """

    def __init__(self, metrics: Metrics) -> None:
        self.logins_begun = metrics.counter(
            "logins_begun", "Logins begun: right passwords, and confirmations in a session.", "kind"
        )
        self.logins = metrics.counter("logins", "Logins that ended.", "kind", "outcome", "method")
        self.challenges_sent = metrics.counter("login_challenges_sent", "Challenges sent to phones.")
        self.challenges = metrics.counter("login_challenges", "Challenges that ended.", "outcome")
        self.pairings_begun = metrics.counter("pairings_begun", "Pairing phrases entered.")
        self.pairings = metrics.counter("pairings", "Pairings that ended.", "outcome")
        self.answer_seconds = metrics.histogram(
            "answer_duration_seconds", "From the challenge to the phone's answer.", ANSWERS_SECONDS, "purpose"
        )
        self.reports = metrics.counter("reports", 'Answers "It wasn\'t me".')
        # Prometheus sees no increase in a counter that starts with its first event, so these start at 0.
        for outcome in AttemptOutcome:
            (self.pairings if outcome is AttemptOutcome.PAIRED else self.challenges).labels(outcome.value)

    def count(self, before: Account | None, event: Event[Message], decision: Decision[Account]) -> None:
        """Count one decision on an event, which found the row ``before``."""
        after = decision.row
        if after is None:
            return
        for login in outcomes.logins_begun(before, after):
            self.logins_begun.labels(login.kind.value).inc()
        for login in outcomes.logins_ended(before, after, event.time):
            outcome = login.state if login.end_reason is None else login.end_reason
            self.logins.labels(login.kind.value, outcome.value, login.method.value if login.method else NO_METHOD).inc()
        for _ in outcomes.challenges_sent(before, after):
            self.challenges_sent.inc()
        for ended in outcomes.challenges_ended(before, after, event.time):
            self.challenges.labels(ended.outcome).inc()
            self._time("login", ended)
        for _ in outcomes.pairings_begun(before, after):
            self.pairings_begun.inc()
        for ended in outcomes.pairings_ended(before, after, event.time):
            self.pairings.labels(ended.outcome).inc()
            self._time("pairing", ended)
        if outcomes.is_reported(before, after):
            self.reports.inc()

    def _time(self, purpose: str, ended: EndedAttempt) -> None:
        if ended.seconds is not None:
            self.answer_seconds.labels(purpose).observe(ended.seconds)
