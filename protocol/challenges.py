"""Challenge-response: a service signs a challenge, a device signs the answer, and both together are a proof."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError

from protocol.agreement import check_agreement_key
from protocol.encoding import digest
from protocol.jose import PrivateKey, SignatureError, require_json, sign_issued, verify_embedded, verify_issued
from protocol.signed_requests import sign_request
from schemas.base import AgreementKey, Browser, Digest, Identifier, Model, Text
from schemas.contract import Purpose, Verdict

CHALLENGE_TYPE: Final = "countersign-challenge+jws"
ANSWER_TYPE: Final = "countersign-answer+jws"
CHALLENGE_HEADER: Final = "Countersign-Challenge"
"""The HTTP header in which a device sends the challenge along with its answer."""
Seconds = Annotated[int, Field(strict=True, ge=0, le=4_102_444_800)]
"""Seconds since 1970, up to the year 2100."""
LOWEST_NUMBER: Final = 10
HIGHEST_NUMBER: Final = 99
Number = Annotated[int, Field(strict=True, ge=LOWEST_NUMBER, le=HIGHEST_NUMBER)]
"""The number that the browser shows and the person enters on the phone."""
_SECONDS: Final[TypeAdapter[int]] = TypeAdapter(Seconds)
PAIRED: Final = (Purpose.PAIRING, Verdict.APPROVE)


class PinnedIssuer(Model):
    """The issuer of an account's login challenges, which the device pins during pairing.

    Attributes:
        issuer: The issuer's URL.
        keys: JWK thumbprints of its keys at the pairing.
        agreement: Its public key for the secret of verification codes; None if it does not accept codes.

    """

    issuer: Text
    keys: tuple[Digest, ...]
    agreement: AgreementKey | None = None


class Claims(Model):
    """The claims of a challenge.

    Attributes:
        iss: URL of the service that signed it.
        aud: The id of the device that answers.
        jti: The challenge's id.
        iat: When it was issued, seconds since 1970 (RFC 7519 section 2, NumericDate).
        exp: The deadline of the answer, seconds since 1970.
        purpose: What the person approves.
        reply_key: The key of the response in Kafka.
        service: The name of the product that the person signs in to.
        account_id: The account.
        account_name: The account's display name.
        browser: The requesting browser.
        action: The text of what is approved if it is not a sign-in; empty for a sign-in.
        number_matching: True if an approval must contain the number that the browser shows. The challenge does not
            contain the number.
        login_issuer: In a pairing challenge, the issuer to pin.

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
        """The deadline of the answer."""
        return datetime.fromtimestamp(self.exp, UTC)

    @property
    def lifetime_seconds(self) -> int:
        """The time for an answer; both ends are of the issuer's clock, so the device's clock may be wrong."""
        return max(self.exp - self.iat, 0)


class Answer(Model):
    """The payload of an answer, which is a signed request of the device.

    Attributes:
        challenge_digest: SHA-256 over the ASCII bytes of the challenge's compact JWS, base64url.
        verdict: What the person decided.
        number: For an approval with number matching, the number that the person entered.
        agreement_key: For an accepted pairing, the device's public key for the secret of its verification codes.

    """

    challenge_digest: Digest
    verdict: Verdict
    number: Number | None = None
    agreement_key: AgreementKey | None = None

    def id_for(self, device_id: str) -> str:
        """Return what identifies this answer of a device: SHA-256, base64url.

        It does not depend on the JWS, which the device signs anew for each attempt, and whose signature has a twin.
        """
        content = {"device_id": device_id, **self.model_dump(mode="json", exclude_none=True)}
        return digest(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


class Proof(Model):
    """The verified content of a challenge and its answer.

    Attributes:
        claims: The challenge's claims.
        issuer_key: Thumbprint of the key that signed the challenge.
        device_id: Thumbprint of the key that signed the answer.
        answer_id: What identifies the answer (`Answer.id_for`).
        verdict: The person's decision.
        number: The number that the person entered, if any.
        agreement_key: The device's public key for its verification codes, if it sent one.
        signed_at: When the device signed it, by the device's clock.

    """

    claims: Claims
    issuer_key: Digest
    device_id: Digest
    answer_id: Digest
    verdict: Verdict
    number: Number | None = None
    agreement_key: AgreementKey | None = None
    signed_at: datetime


def issue_challenge(key: PrivateKey, claims: Claims) -> str:
    """Sign a challenge; the signature is deterministic.

    Returns:
        The compact JWS.

    """
    return sign_issued(key, CHALLENGE_TYPE, claims.model_dump_json(exclude_none=True).encode())


def verify_challenge(compact: str) -> tuple[Claims, str]:
    """Verify a challenge against the public key in its header.

    Returns:
        Its claims, and the thumbprint of the key, which the caller compares with its trusted keys.

    Raises:
        SignatureError: If it was altered, or is not a challenge.

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
    """Sign a device's answer to a challenge: a signed request whose payload covers the challenge and the verdict.

    Returns:
        The compact JWS.

    """
    answer = Answer(
        challenge_digest=challenge_digest(challenge), verdict=verdict, number=number, agreement_key=agreement_key
    )
    payload = answer.model_dump(mode="json", exclude_none=True)
    return sign_request(key, url=url, nonce=nonce, at=at, payload=payload, typ=ANSWER_TYPE)


def verify_proof(challenge: str, answer: str) -> Proof:
    """Verify an answer against its challenge, without other data.

    The current time does not matter, so that a proof stays valid.

    Returns:
        The proof.

    Raises:
        SignatureError: If either was altered, they do not belong together, or another device answered.

    """
    claims, issuer_key = verify_challenge(challenge)
    header, device, payload = verify_embedded(answer, ANSWER_TYPE)
    require_json(payload)
    try:
        content = Answer.model_validate_json(payload)
        signed_at = datetime.fromtimestamp(_SECONDS.validate_python(header.get("iat")), UTC)
    except ValidationError as error:
        text = "the payload is not an answer's"
        raise SignatureError(text) from error
    if content.challenge_digest != challenge_digest(challenge):
        text = "the answer is to another challenge"
        raise SignatureError(text)
    if device.thumbprint != claims.aud:
        text = "another device answered"
        raise SignatureError(text)
    if content.agreement_key is not None:
        check_agreement_key(content.agreement_key)
    return Proof(
        claims=claims,
        issuer_key=issuer_key,
        device_id=device.thumbprint,
        answer_id=content.id_for(device.thumbprint),
        verdict=content.verdict,
        number=content.number,
        agreement_key=content.agreement_key,
        signed_at=signed_at,
    )


def contradictions(record: Mapping[str, Any], proof: Proof) -> Iterator[str]:
    """Yield a sentence for each member of a record that contradicts the signatures.

    Args:
        record: The data of an ``auth.response`` or a ``device.paired`` as JSON types; members may be missing.
        proof: The proof of its challenge and answer.

    """
    claims = proof.claims
    signed = {
        "challenge_id": claims.jti,
        "pairing_id": claims.jti,
        "device_id": proof.device_id,
        "reply_key": claims.reply_key,
        "account_id": claims.account_id,
        "purpose": claims.purpose.value,
        "verdict": proof.verdict.value,
    }
    for member, value in signed.items():
        if record.get(member, value) != value:
            yield f"the record says {member} {record[member]!r}, but {value!r} was signed"
    if "paired_at" in record and (claims.purpose, proof.verdict) != PAIRED:
        yield f"the record says that a device was paired, but {proof.verdict} of a {claims.purpose} was signed"
