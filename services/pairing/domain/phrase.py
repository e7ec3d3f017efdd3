"""What becomes of a phrase: issued, then claimed once, then accepted, declined or withdrawn; or retired."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from protocol.challenges import Claims, PinnedIssuer, Proof, issue_challenge
from protocol.jose import PrivateKey
from protocol.phrases import pairing_seal
from schemas.base import Message
from schemas.codec import Event
from schemas.contract import (
    AuthResponse,
    ChallengeIssued,
    ChallengeWithdrawn,
    DevicePaired,
    PairingFailed,
    PairingFailure,
    PairingRequested,
    PairingWithdrawn,
    Purpose,
    Verdict,
)
from schemas.pairing_commands import IssuePhrase, RetirePhrase
from services.common.decisions import Decision
from services.common.proofs import read_proof
from services.pairing.domain.rows import Claim, Phrase, PhraseState

TAKEN: Final = "taken"
KEPT: Final = timedelta(hours=1)
"""A phrase's row is kept this long after its end, so that whoever enters the phrase late hears why it fails."""


@dataclass(frozen=True, slots=True)
class PairingRules:
    """What the pairing service decides with.

    Attributes:
        issuer: This service's URL.
        key: The key that signs its challenges.
        accepted_keys: Thumbprints of all keys that it signs with or has lately signed with.
        seal_key: The secret that the pairing and login services share.

    """

    issuer: str
    key: PrivateKey
    accepted_keys: frozenset[str]
    seal_key: bytes = field(repr=False)


def decide_phrase(row: Phrase | None, event: Event[Message], rules: PairingRules) -> Decision[Phrase]:
    """Decide any event that concerns a phrase.

    Args:
        row: The phrase, or None if no such phrase was issued.
        event: The event.
        rules: What it is decided with.

    Returns:
        The decision.

    Raises:
        UnacceptableError: If a response is forged.

    """
    match event.data:
        case IssuePhrase() as command:
            return decide_issue(row, command)
        case RetirePhrase() as command:
            return decide_retirement(row, command)
        case PairingRequested() as request:
            return decide_claim(row, request, rules)
        case PairingWithdrawn() as withdrawn:
            return decide_withdrawal(row, withdrawn)
        case AuthResponse(purpose=Purpose.PAIRING) as response:
            return decide_response(row, response, rules)
        case _:
            return Decision(row)


def decide_issue(row: Phrase | None, command: IssuePhrase) -> Decision[Phrase]:
    """Hand a phrase out, unless it is still somebody's."""
    if row is not None and command.at <= row.end:
        return Decision(row, outcome=TAKEN)
    phrase = Phrase(
        phrase_digest=command.phrase_digest,
        device_id=command.device_id,
        device_name=command.device_name,
        issued_at=command.at,
        expires_at=command.expires_at,
    )
    return Decision(phrase)


def decide_retirement(row: Phrase | None, command: RetirePhrase) -> Decision[Phrase]:
    """Take a phrase back that nobody entered; forget it when its time is long over."""
    if row is None or command.at > row.end + KEPT:
        return Decision(None)
    if row.state is PhraseState.ISSUED and row.device_id == command.device_id:
        return Decision(row.model_copy(update={"state": PhraseState.RETIRED}))
    return Decision(row)


def decide_claim(row: Phrase | None, request: PairingRequested, rules: PairingRules) -> Decision[Phrase]:
    """Bind a phrase to the account that named it, once, and ask the device."""
    failure = _claim_failure(row, request)
    if row is None or failure is not None:
        failed = PairingFailed(
            pairing_id=request.pairing_id,
            account_id=request.account_id,
            reason=failure or PairingFailure.UNKNOWN_PHRASE,
        )
        return Decision(row, (failed,), failed.reason)
    challenge = issue_challenge(rules.key, _claims(row, request, rules))
    issued = ChallengeIssued(
        challenge_id=request.pairing_id,
        device_id=row.device_id,
        reply_key=row.phrase_digest,
        purpose=Purpose.PAIRING,
        challenge=challenge,
        issued_at=request.requested_at,
        expires_at=request.expires_at,
    )
    claim = Claim(request=request, challenge=challenge)
    return Decision(row.model_copy(update={"state": PhraseState.CLAIMED, "claim": claim}), (issued,))


def decide_withdrawal(row: Phrase | None, withdrawn: PairingWithdrawn) -> Decision[Phrase]:
    """Ask the device no more, if it is still being asked for that pairing. The phrase is spent all the same."""
    if row is None or row.state is not PhraseState.CLAIMED or row.claim is None:
        return Decision(row)
    if row.claim.request.pairing_id != withdrawn.pairing_id:
        return Decision(row)
    gone = ChallengeWithdrawn(challenge_id=withdrawn.pairing_id, device_id=row.device_id)
    return Decision(row.model_copy(update={"state": PhraseState.WITHDRAWN}), (gone,))


def decide_response(row: Phrase | None, response: AuthResponse, rules: PairingRules) -> Decision[Phrase]:
    """Pair the device, or tell the account that it will not be."""
    proof = read_proof(response, rules.accepted_keys)
    if row is None or row.claim is None or row.claim.challenge != response.challenge:
        return Decision(row, outcome="unknown")
    if row.state is not PhraseState.CLAIMED:
        return Decision(row, outcome="decided_before")
    request = row.claim.request
    failure = _answer_failure(proof, response.answered_at, request)
    if failure is not None:
        declined = row.model_copy(update={"state": PhraseState.DECLINED})
        failed = PairingFailed(pairing_id=request.pairing_id, account_id=request.account_id, reason=failure)
        return Decision(declined, (failed,), failure)
    paired = DevicePaired(
        pairing_id=request.pairing_id,
        account_id=request.account_id,
        device_id=row.device_id,
        device_name=row.device_name,
        challenge=response.challenge,
        answer=response.answer,
        paired_at=response.answered_at,
        seal=pairing_seal(rules.seal_key, request.pairing_id, request.account_id, row.device_id),
    )
    return Decision(row.model_copy(update={"state": PhraseState.ACCEPTED}), (paired,))


def _claim_failure(row: Phrase | None, request: PairingRequested) -> PairingFailure | None:
    if row is None:
        return PairingFailure.UNKNOWN_PHRASE
    if row.state is PhraseState.RETIRED or (row.state is PhraseState.ISSUED and request.requested_at > row.expires_at):
        return PairingFailure.EXPIRED_PHRASE
    return None if row.state is PhraseState.ISSUED else PairingFailure.USED_PHRASE


def _claims(row: Phrase, request: PairingRequested, rules: PairingRules) -> Claims:
    return Claims(
        iss=rules.issuer,
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
