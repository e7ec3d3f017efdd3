"""A pairing phrase: from the phone that shows it to the account that enters it.

The messages that move it:

```mermaid
stateDiagram-v2
    [*] --> issued: IssuePhrase
    issued --> retired: RetirePhrase
    issued --> claimed: PairingRequested
    claimed --> withdrawn: PairingWithdrawn
    claimed --> accepted: AuthResponse
    claimed --> declined: AuthResponse
```

A phrase can be entered once. Once its time is over, its row is deleted, or the phrase is issued again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from protocol.challenges import Claims, PinnedIssuer, Proof
from schemas.base import Digest, Jws, Message, Moment, Text
from schemas.codec import Event
from schemas.contract import (
    AuthResponse,
    ChallengeEnded,
    ChallengeIssued,
    ChallengeOutcome,
    DevicePaired,
    PairingFailed,
    PairingFailure,
    PairingRequested,
    PairingWithdrawn,
    Purpose,
    Verdict,
)
from schemas.pairing_messages import IssuePhrase, RetirePhrase
from services.common.decisions import Decision, Row
from services.pairing.domain.policy import PairingPolicy

TAKEN: Final = "taken"
KEPT: Final = timedelta(hours=1)
"""How long a row is kept after its phrase's end, so that a late entry gets the reason why it fails."""


class PhraseState(StrEnum):
    """The state of a phrase."""

    ISSUED = "issued"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The request that entered a phrase, and the challenge for it.

    Attributes:
        answer_id: The id of the answer that counted (`protocol.challenges.Answer.id_for`); None if none did.
        outcome: How the challenge ended; None while it is open.
        verdict: The answer's verdict.

    """

    request: PairingRequested
    challenge: Jws
    answer_id: Digest | None = None
    outcome: ChallengeOutcome | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase(Row):
    """A phrase, by its digest.

    Attributes:
        phrase_digest: HMAC-SHA256 of the phrase; the row's key.
        device_id: The device that shows the phrase.
        expires_at: When it can no longer be entered.
        claim: The request that entered it.

    """

    phrase_digest: Digest
    device_id: Digest
    device_name: Text
    issued_at: Moment
    expires_at: Moment
    state: PhraseState = PhraseState.ISSUED
    claim: Claim | None = None

    @property
    def end(self) -> datetime:
        """When the phrase, and a pairing by it, have expired."""
        return self.expires_at if self.claim is None else max(self.expires_at, self.claim.request.expires_at)


def decide_phrase(row: Phrase | None, event: Event[Message], policy: PairingPolicy) -> Decision[Phrase]:
    """Decide on an event for a phrase; the row is None if the phrase was not issued.

    Raises:
        UnacceptableError: If a response is forged.

    """
    message = event.data
    if isinstance(message, AuthResponse) and message.purpose is not Purpose.PAIRING:
        return Decision(row)
    decider = DECIDERS.get(type(message))
    return Decision(row) if decider is None else decider(row, message, event.time, policy)


def issue(row: Phrase | None, command: IssuePhrase, at: datetime, _policy: PairingPolicy) -> Decision[Phrase]:
    """Issue a phrase, unless it is in use."""
    if row is not None and at <= row.end:
        return Decision(row, outcome=TAKEN)
    phrase = Phrase(
        phrase_digest=command.phrase_digest,
        device_id=command.device_id,
        device_name=command.device_name,
        issued_at=at,
        expires_at=command.expires_at,
    )
    return Decision(phrase)


def retire(row: Phrase | None, command: RetirePhrase, at: datetime, _policy: PairingPolicy) -> Decision[Phrase]:
    """Retire a phrase that was not entered; delete its row long after its end."""
    if row is None or at > row.end + KEPT:
        return Decision(None)
    if row.state is PhraseState.ISSUED and row.device_id == command.device_id:
        return Decision(replace(row, state=PhraseState.RETIRED))
    return Decision(row)


def claim(row: Phrase | None, request: PairingRequested, _at: datetime, policy: PairingPolicy) -> Decision[Phrase]:
    """Bind a phrase to the account that entered it, once, and challenge the device."""
    failure = _claim_failure(row, request)
    if row is None or failure is not None:
        failed = PairingFailed(
            pairing_id=request.pairing_id,
            account_id=request.account_id,
            reason=failure or PairingFailure.UNKNOWN_PHRASE,
        )
        return Decision(row, (failed,), failed.reason)
    challenge = policy.signer.sign_challenge(_claims(row, request, policy.signer.issuer))
    issued = ChallengeIssued(
        challenge_id=request.pairing_id,
        device_id=row.device_id,
        reply_key=row.phrase_digest,
        purpose=Purpose.PAIRING,
        challenge=challenge,
        issued_at=request.requested_at,
        expires_at=request.expires_at,
    )
    return Decision(
        replace(row, state=PhraseState.CLAIMED, claim=Claim(request=request, challenge=challenge)), (issued,)
    )


def withdraw(
    row: Phrase | None, withdrawn: PairingWithdrawn, _at: datetime, _policy: PairingPolicy
) -> Decision[Phrase]:
    """Withdraw the challenge of an open pairing. The phrase remains used."""
    if row is None or row.state is not PhraseState.CLAIMED or row.claim is None:
        return Decision(row)
    if row.claim.request.pairing_id != withdrawn.pairing_id:
        return Decision(row)
    ended = replace(row, state=PhraseState.WITHDRAWN, claim=replace(row.claim, outcome=ChallengeOutcome.WITHDRAWN))
    return Decision(ended, _ended(ended))


def answer(row: Phrase | None, response: AuthResponse, at: datetime, policy: PairingPolicy) -> Decision[Phrase]:
    """Pair the device, or report the failure to the account; tell the device how its challenge ended.

    The first answer counts, and each further one gets its outcome.
    """
    proof = policy.signer.verify_response(response)
    if row is None or row.claim is None or row.claim.challenge != response.challenge:
        ended = ChallengeEnded(
            challenge_id=proof.claims.jti, device_id=proof.device_id, outcome=ChallengeOutcome.WITHDRAWN
        )
        return Decision(row, (ended,), "unknown")
    if row.state is not PhraseState.CLAIMED:
        return Decision(row, _ended(row), "decided_before")
    request = row.claim.request
    failure = _answer_failure(proof, at, request)
    outcome = _OUTCOMES[failure]
    counted = None if failure is PairingFailure.NOT_ANSWERED else proof
    claim = replace(
        row.claim,
        outcome=outcome,
        answer_id=None if counted is None else counted.answer_id,
        verdict=None if counted is None else counted.verdict,
    )
    if failure is not None:
        declined = replace(row, state=PhraseState.DECLINED, claim=claim)
        failed = PairingFailed(pairing_id=request.pairing_id, account_id=request.account_id, reason=failure)
        return Decision(declined, (failed, *_ended(declined)), failure)
    paired = DevicePaired(
        pairing_id=request.pairing_id,
        account_id=request.account_id,
        device_id=row.device_id,
        device_name=row.device_name,
        challenge=response.challenge,
        answer=response.answer,
        paired_at=response.answered_at,
        seal=policy.signer.seal(request, row.device_id),
    )
    accepted = replace(row, state=PhraseState.ACCEPTED, claim=claim)
    return Decision(accepted, (paired, *_ended(accepted)))


def _ended(row: Phrase) -> tuple[ChallengeEnded, ...]:
    """Return how the phrase's challenge ended, for the device."""
    if row.claim is None or row.claim.outcome is None:
        return ()
    ended = ChallengeEnded(
        challenge_id=row.claim.request.pairing_id,
        device_id=row.device_id,
        outcome=row.claim.outcome,
        verdict=row.claim.verdict,
        answer_id=row.claim.answer_id,
    )
    return (ended,)


def _claim_failure(row: Phrase | None, request: PairingRequested) -> PairingFailure | None:
    if row is None:
        return PairingFailure.UNKNOWN_PHRASE
    if row.state is PhraseState.RETIRED or (row.state is PhraseState.ISSUED and request.requested_at > row.expires_at):
        return PairingFailure.EXPIRED_PHRASE
    return None if row.state is PhraseState.ISSUED else PairingFailure.USED_PHRASE


def _claims(row: Phrase, request: PairingRequested, issuer: str) -> Claims:
    return Claims(
        iss=issuer,
        aud=row.device_id,
        jti=request.pairing_id,
        iat=int(request.requested_at.timestamp()),
        exp=int(request.expires_at.timestamp()),
        purpose=Purpose.PAIRING,
        reply_key=row.phrase_digest,
        service=request.service_name,
        account_id=request.account_id,
        account_name=request.account_name,
        browser=request.browser,
        login_issuer=PinnedIssuer(issuer=request.issuer, keys=request.issuer_keys, agreement=request.issuer_agreement),
    )


def _answer_failure(proof: Proof, answered_at: datetime, request: PairingRequested) -> PairingFailure | None:
    if answered_at > request.expires_at:
        return PairingFailure.NOT_ANSWERED
    return {
        Verdict.APPROVE: None,
        Verdict.DENY: PairingFailure.DECLINED,
        Verdict.REPORT: PairingFailure.REPORTED,
    }[proof.verdict]


_OUTCOMES: Final[Mapping[PairingFailure | None, ChallengeOutcome]] = {
    None: ChallengeOutcome.APPROVED,
    PairingFailure.DECLINED: ChallengeOutcome.DENIED,
    PairingFailure.REPORTED: ChallengeOutcome.REPORTED,
    PairingFailure.NOT_ANSWERED: ChallengeOutcome.EXPIRED,
}
DECIDERS: Final[Mapping[type[Message], Callable[[Phrase | None, Any, datetime, PairingPolicy], Decision[Phrase]]]] = {
    IssuePhrase: issue,
    RetirePhrase: retire,
    PairingRequested: claim,
    PairingWithdrawn: withdraw,
    AuthResponse: answer,
}
"""The decider of each message type."""
