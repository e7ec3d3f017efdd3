"""Mallory, who has a phone like anybody, and can write to the topics between the services, past their web sides.

What Mallory has not got are the other phones' keys, the services' signing keys, and the key of the seal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from protocol.challenges import issue_challenge, verify_challenge
from protocol.phrases import pairing_seal
from schemas.base import Message
from schemas.contract import (
    AuthResponse,
    ChallengeIssued,
    DevicePaired,
    PairingFailed,
    PairingRequested,
    Purpose,
    Verdict,
)
from tests.builders import a_key
from tests.events import a_challenge, a_paired, a_response
from tests.unit.flow.people import MALLORY, NAMES, PHRASES, People, choose

MessageT = TypeVar("MessageT", bound=Message)
TWISTS: Final[tuple[Mapping[str, object], ...]] = (
    {},
    *({"verdict": verdict} for verdict in Verdict),
    *({"purpose": purpose} for purpose in Purpose),
    *({"reply_key": key} for key in (*NAMES, *PHRASES)),
    {"device_id": MALLORY.device_id},
)
"""What can be changed about a response with no signature over it."""


@dataclass(frozen=True, slots=True)
class Villain:
    """Mallory."""

    people: People

    def answer_for_another_phone(self, challenge: int, verdict: Verdict) -> None:
        """Answer what another phone was asked."""
        if issued := choose(self._seen(ChallengeIssued), challenge):
            self._answer(issued.challenge, verdict)

    def answer_own_copy(self, challenge: int, verdict: Verdict) -> None:
        """Answer a copy of a challenge, addressed to Mallory's phone and signed by Mallory."""
        if issued := choose(self._seen(ChallengeIssued), challenge):
            claims, _ = verify_challenge(issued.challenge)
            copy = claims.model_copy(update={"aud": MALLORY.device_id})
            self._answer(issue_challenge(a_key("mallory"), copy), verdict)

    def twist_response(self, response: int, twist: int) -> None:
        """Publish a true response once more, changed where no signature covers it."""
        if chosen := choose(self._seen(AuthResponse), response):
            self._publish(chosen.model_copy(update=TWISTS[twist % len(TWISTS)]))

    def twist_pairing(self, pairing: int, name: str, *, own_phone: bool, own_seal: bool) -> None:
        """Publish a true pairing once more, with another account, with Mallory's phone, with a seal of Mallory's."""
        if chosen := choose(self._seen(DevicePaired), pairing):
            device_id = MALLORY.device_id if own_phone else chosen.device_id
            twisted = chosen.model_copy(update={"account_id": name, "device_id": device_id})
            seal = pairing_seal(b"Mallory's key", twisted.pairing_id, name, device_id) if own_seal else twisted.seal
            self._publish(twisted.model_copy(update={"seal": seal}))

    def forge_pairing(self, number: int, verdict: Verdict) -> None:
        """Answer, on Mallory's phone, for a pairing that somebody asked for, all signed and sealed by Mallory."""
        if asked := choose(self._seen(PairingRequested), number):
            changes = {"jti": asked.pairing_id, "account_id": asked.account_id}
            challenge = a_challenge(MALLORY, a_key("mallory"), **changes)
            self.people.truth.signs(MALLORY, challenge, verdict)
            fields = {"account_id": asked.account_id, "challenge": challenge, "phone": MALLORY}
            seal = pairing_seal(b"Mallory's key", asked.pairing_id, asked.account_id, MALLORY.device_id)
            self._publish(a_paired(asked.pairing_id, self.people.world.now, verdict, seal=seal, **fields))

    def claim_phrase(self, phrase: str, name: str, number: int) -> None:
        """Ask the pairing service for a phone that shows a phrase, past the login service."""
        if chosen := choose(self._seen(PairingRequested), number):
            self._publish(chosen.model_copy(update={"phrase_digest": phrase, "account_id": name}))

    def fail_pairing(self, number: int) -> None:
        """Say once more that a pairing failed."""
        if chosen := choose(self._seen(PairingFailed), number):
            self._publish(chosen)

    def _answer(self, challenge: str, verdict: Verdict) -> None:
        self.people.truth.signs(MALLORY, challenge, verdict)
        self._publish(a_response(challenge, verdict, self.people.world.now, MALLORY))

    def _publish(self, message: Message) -> None:
        self.people.world.command(message)

    def _seen(self, kind: type[MessageT]) -> list[MessageT]:
        """Return the last messages of a kind: what they are about may still be open."""
        return self.people.world.published(kind)[-4:]
