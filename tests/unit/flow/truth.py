"""What really happened, as the people and phones themselves know it; nothing in it comes from a decider."""

from dataclasses import dataclass, field

from protocol.challenges import Claims, verify_challenge
from schemas.contract import Verdict
from tests.builders import Phone


@dataclass(frozen=True, slots=True)
class Signature:
    """What a phone really signed."""

    device_id: str
    claims: Claims
    issuer_key: str
    verdict: Verdict


@dataclass(slots=True)
class Truth:
    """What really happened.

    Attributes:
        signatures: What the phones signed.
        challenges: The account and the login that each login challenge's id was drawn for.
        sessions: The account and the login that each session's token was drawn for.
        pairings: The account and the phrase that each pairing's id was drawn for.

    """

    signatures: list[Signature] = field(default_factory=list)
    challenges: dict[str, tuple[str, str]] = field(default_factory=dict)
    sessions: dict[str, tuple[str, str]] = field(default_factory=dict)
    pairings: dict[str, tuple[str, str]] = field(default_factory=dict)

    def signs(self, phone: Phone, challenge: str, verdict: Verdict) -> None:
        """Note that a phone signs an answer."""
        claims, issuer_key = verify_challenge(challenge)
        self.signatures.append(Signature(phone.device_id, claims, issuer_key, verdict))
