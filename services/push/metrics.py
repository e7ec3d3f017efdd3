"""The push service's metrics of decisions on channels."""

from typing import Final

from protocol.signed_requests import Refusal
from schemas.base import Message
from schemas.codec import Event
from schemas.contract import ChallengeIssued, Delivery, Purpose, PushReceipt
from services.common.decisions import OK, Decision
from services.common.telemetry.metrics import Metrics
from services.push.domain.channel import Channel

WAITING: Final = "waiting"


class ChallengeTally:
    """Counts the challenges for devices, each decision once (`services.common.streams.processor`).

    Attributes:
        challenges: By purpose and outcome: ``waiting`` for the device, ``undeliverable`` to a device that never
            connected, or the refusal's name.

    """

    def __init__(self, metrics: Metrics) -> None:
        self.challenges = metrics.counter("challenges", "Challenges for devices.", "purpose", "outcome")
        # Prometheus sees no increase in a counter that starts with its first event, so these start at 0.
        for purpose in Purpose:
            for outcome in (WAITING, Delivery.UNDELIVERABLE.value, Refusal.TOO_MANY.value):
                self.challenges.labels(purpose.value, outcome)

    def count(self, _before: Channel | None, event: Event[Message], decision: Decision[Channel]) -> None:
        """Count one decision on an event."""
        if not isinstance(event.data, ChallengeIssued):
            return
        receipt = next((each for each in decision.events if isinstance(each, PushReceipt)), None)
        outcome = WAITING if receipt is None else receipt.delivery.value
        named = outcome if decision.outcome == OK else str(decision.outcome)
        self.challenges.labels(event.data.purpose.value, named).inc()
