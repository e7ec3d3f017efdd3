"""The push service's rows: one channel a device."""

from datetime import datetime, timedelta
from typing import Final

from schemas.base import Digest, Identifier, Jws, Model, Moment, Text
from schemas.contract import Purpose, Verdict
from services.common.decisions import Row
from services.common.used_nonces import UsedNonce

MOST_PENDING: Final = 10
MOST_ANSWERED: Final = 20
MOST_UNPAIRED: Final = 20
KEPT_AFTER_EXPIRY: Final = timedelta(seconds=600)
"""A challenge is kept this long after it expired, so that a late answer hears that it is late."""


class PendingChallenge(Model):
    """A challenge that waits for its person.

    Attributes:
        traceparent: The trace of the login that it belongs to.

    """

    challenge_id: Identifier
    reply_key: Identifier
    purpose: Purpose
    challenge: Jws
    expires_at: Moment
    traceparent: str = ""


class AnsweredChallenge(Model):
    """A challenge that was answered."""

    challenge_id: Identifier
    verdict: Verdict
    at: Moment


class UnpairedStatement(Model):
    """What the device shall hear of a pairing that ended.

    Attributes:
        pairing_id: The pairing.
        statement: What the device checks (protocol.unpaired).

    """

    pairing_id: Identifier
    statement: Jws


class Channel(Row):
    """How a device is reached, and what waits for it.

    Attributes:
        device_id: The device; the row's key.
        device_name: Its name; empty until it connects for the first time.
        pending: The challenges that wait, oldest first.
        answered: The last answers, oldest first.
        unpaired: The last pairings of it that ended, oldest first. It may have heard of them already: it does not say.
        nonces: The nonces that it used lately.

    """

    device_id: Digest
    device_name: Text = ""
    pending: tuple[PendingChallenge, ...] = ()
    answered: tuple[AnsweredChallenge, ...] = ()
    unpaired: tuple[UnpairedStatement, ...] = ()
    nonces: tuple[UsedNonce, ...] = ()

    def waiting(self, challenge_id: str) -> PendingChallenge | None:
        """Return the challenge of this id that waits, or None."""
        return next((each for each in self.pending if each.challenge_id == challenge_id), None)

    def answer_to(self, challenge_id: str) -> AnsweredChallenge | None:
        """Return how a challenge was answered, or None."""
        return next((each for each in self.answered if each.challenge_id == challenge_id), None)

    def open_at(self, moment: datetime) -> tuple[PendingChallenge, ...]:
        """Return the challenges that can still be answered."""
        return tuple(each for each in self.pending if moment <= each.expires_at)
