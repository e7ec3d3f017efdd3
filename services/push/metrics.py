"""What the push service counts of the decisions on its channels."""

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
    """Counts the challenges that came for devices, each once (`services.common.streams.processor.Owner`).

    Attributes:
        challenges: By purpose and outcome: ``waiting`` for the device, ``undeliverable`` to one that nobody has ever
            seen, or the refusal's name.

    """

    def __init__(self, metrics: Metrics) -> None:
        self.challenges = metrics.counter("challenges", "Challenges that came for devices.", "purpose", "outcome")
        # Prometheus sees no increase in a counter that begins with its first event, so these begin with 0.
        for purpose in Purpose:
            for outcome in (WAITING, Delivery.UNDELIVERABLE.value, Refusal.TOO_MANY.value):
                self.challenges.labels(purpose.value, outcome)

    def count(self, _before: Channel | None, event: Event[Message], decision: Decision[Channel]) -> None:
        """Count one decision.

        Args:
            _before: The row before it.
            event: What was decided.
            decision: The decision.

        """
        if not isinstance(event.data, ChallengeIssued):
            return
        receipt = next((each for each in decision.events if isinstance(each, PushReceipt)), None)
        outcome = WAITING if receipt is None else receipt.delivery.value
        named = outcome if decision.outcome == OK else str(decision.outcome)
        self.challenges.labels(event.data.purpose.value, named).inc()
