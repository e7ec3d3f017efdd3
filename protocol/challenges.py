"""Challenges that a service signs, answers that a device signs over them, and the proof that both make."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from protocol.agreement import check_agreement_key
from protocol.encoding import digest
from protocol.jose import PrivateKey, SignatureError, sign_issued, verify_embedded, verify_issued
from protocol.signed_requests import sign_request
from schemas.base import AgreementKey, Browser, Digest, Identifier, Model, Text
from schemas.contract import Purpose, Verdict

CHALLENGE_TYPE: Final = "countersign-challenge+jws"
ANSWER_TYPE: Final = "countersign-answer+jws"
Seconds = Annotated[int, Field(strict=True, ge=0, le=4_102_444_800)]
"""Seconds since 1970, up to the year 2100."""
LOWEST_NUMBER: Final = 10
HIGHEST_NUMBER: Final = 99
Number = Annotated[int, Field(strict=True, ge=LOWEST_NUMBER, le=HIGHEST_NUMBER)]
"""The number that the browser shows and the person enters on the phone."""
_SECONDS: Final[TypeAdapter[int]] = TypeAdapter(Seconds)


class PinnedIssuer(Model):
    """Who will sign the login challenges of an account, as its pairing challenge names it.

    Attributes:
        issuer: The issuer's URL.
        keys: JWK thumbprints of its keys at that time.
        agreement: Its public key for the secret of verification codes; None if it takes none.

    """

    issuer: Text
    keys: tuple[Digest, ...]
    agreement: AgreementKey | None = None


class Claims(Model):
    """What a challenge says.

    Attributes:
        iss: URL of the service that signed it.
        aud: The device that shall answer, by its id.
        jti: The challenge's id.
        iat: When it was issued, seconds since 1970 (RFC 7519 section 2, NumericDate).
        exp: When an answer comes too late.
        purpose: What is asked.
        reply_key: Where the answer goes.
        service: The name of what the person signs in to.
        account_id: The account.
        account_name: The account's name as its owner reads it.
        browser: Which browser asks, and from where.
        action: What is approved where it is more than a sign-in, as the person reads it; empty for a sign-in.
        number_matching: True if an approval must hold the number that the browser shows. It stands nowhere in here.
        login_issuer: In a pairing challenge, whom to pin.

    """

    iss: Text
    aud: Digest
    jti: Identifier
    iat: Seconds
    exp: Seconds
    purpose: Purpose
    reply_key: Identifier
    service: Text
    account_id: Identifier
    account_name: Text
    browser: Browser
    action: Text = ""
    number_matching: bool = False
    login_issuer: PinnedIssuer | None = None

    @property
    def expires_at(self) -> datetime:
        """When an answer comes too late."""
        return datetime.fromtimestamp(self.exp, UTC)

    @property
    def lifetime_seconds(self) -> int:
        """How long an answer may take: from one clock's two times, so that it holds by any clock."""
        return max(self.exp - self.iat, 0)


class Answer(Model):
    """What an answer says: the payload of the device's signed request.

    Attributes:
        challenge_digest: SHA-256 over the ASCII bytes of the challenge's compact JWS, base64url.
        verdict: What the person decided.
        number: In an approval with number matching, the number that the person entered.
        agreement_key: In an accepted pairing, the device's public key for the secret of its verification codes.

    """

    challenge_digest: Digest
    verdict: Verdict
    number: Number | None = None
    agreement_key: AgreementKey | None = None


class Proof(Model):
    """What a challenge and its answer prove together.

    Attributes:
        claims: What was asked.
        issuer_key: Thumbprint of the key that signed the challenge.
        device_id: Thumbprint of the key that signed the answer.
        verdict: What was answered.
        number: The number that was entered, if one was.
        agreement_key: The device's public key for its verification codes, if it sent one.
        signed_at: When the device signed it, by the device's clock.

    """

    claims: Claims
    issuer_key: Digest
    device_id: Digest
    verdict: Verdict
    number: Number | None = None
    agreement_key: AgreementKey | None = None
    signed_at: datetime


def issue_challenge(key: PrivateKey, claims: Claims) -> str:
    """Sign a challenge. The same claims and key give the same bytes.

    Returns:
        The compact JWS.

    """
    return sign_issued(key, CHALLENGE_TYPE, claims.model_dump_json(exclude_none=True).encode())


def verify_challenge(compact: str) -> tuple[Claims, str]:
    """Check a challenge against the key that it carries.

    Returns:
        Its claims, and the thumbprint of the key, which the caller compares with the keys that it trusts.

    Raises:
        SignatureError: If it was altered, or is no challenge.

    """
    payload, key_id = verify_issued(compact, CHALLENGE_TYPE)
    try:
        claims = Claims.model_validate_json(payload)
    except ValidationError as error:
        text = "the claims are not a challenge's"
        raise SignatureError(text) from error
    if claims.login_issuer is not None and claims.login_issuer.agreement is not None:
        check_agreement_key(claims.login_issuer.agreement)
    return claims, key_id


def challenge_digest(compact: str) -> str:
    """Return SHA-256 over the ASCII bytes of a challenge's compact JWS, base64url."""
    return digest(compact.encode("ascii"))


def sign_answer(  # noqa: PLR0913 - the members of one answer
    key: PrivateKey,
    *,
    challenge: str,
    verdict: Verdict,
    url: str,
    nonce: str,
    at: datetime,
    number: int | None = None,
    agreement_key: AgreementKey | None = None,
) -> str:
    """Answer a challenge as a device does: a signed request whose payload covers the challenge and the decision.

    Returns:
        The compact JWS to send.

    """
    said = Answer(
        challenge_digest=challenge_digest(challenge), verdict=verdict, number=number, agreement_key=agreement_key
    )
    payload = said.model_dump(mode="json", exclude_none=True)
    return sign_request(key, url=url, nonce=nonce, at=at, payload=payload, typ=ANSWER_TYPE)


def verify_proof(challenge: str, answer: str) -> Proof:
    """Check that an answer answers a challenge, from the two alone.

    Times are not compared with now: a proof stays one.

    Returns:
        What they prove.

    Raises:
        SignatureError: If either was altered, they do not belong together, or another device answered.

    """
    claims, issuer_key = verify_challenge(challenge)
    header, device, payload = verify_embedded(answer, ANSWER_TYPE)
    try:
        said = Answer.model_validate_json(payload)
        signed_at = datetime.fromtimestamp(_SECONDS.validate_python(header.get("iat")), UTC)
    except ValidationError as error:
        text = "the answer does not say what an answer says"
        raise SignatureError(text) from error
    if said.challenge_digest != challenge_digest(challenge):
        text = "the answer is to another challenge"
        raise SignatureError(text)
    if device.thumbprint != claims.aud:
        text = "another device answered"
        raise SignatureError(text)
    if said.agreement_key is not None:
        check_agreement_key(said.agreement_key)
    return Proof(
        claims=claims,
        issuer_key=issuer_key,
        device_id=device.thumbprint,
        verdict=said.verdict,
        number=said.number,
        agreement_key=said.agreement_key,
        signed_at=signed_at,
    )
