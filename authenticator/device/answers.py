"""Delivery of an answer to the push service, with retries (docs/protocol.md section 7)."""

from functools import partial
from typing import Final

from authenticator.device.challenges import DeviceChallenge, Reply
from authenticator.device.client import Client
from authenticator.device.errors import ProblemError
from authenticator.device.link import Link
from authenticator.device.messages import Receipt
from authenticator.device.store import Store
from protocol.challenges import CHALLENGE_HEADER, sign_answer
from protocol.signed_requests import Refusal
from schemas.contract import Purpose, Verdict

OUTCOME_SECONDS: Final = 600.0
"""How long after a request's expiry the service still reports the outcome of an answer (protocol.md section 7)."""


async def send_answer(client: Client, link: Link, store: Store, request: DeviceChallenge, reply: Reply) -> Receipt:
    """Send an answer until its outcome is known.

    An attempt without a response may have counted. So the same answer is sent even after the request's expiry: the
    service then reports that it counted, or that the request expired.

    Returns:
        When the answer arrived, and the outcome.

    Raises:
        ProblemError: If the service refuses it.
        DeviceError: If the service cannot be reached until ten minutes after the request's expiry.

    """
    try:
        return await _post(client, store, request, reply)
    except ProblemError as error:
        if error.problem.name == Refusal.ALREADY_ANSWERED and error.problem.members.get("verdict") == reply.verdict:
            # An earlier attempt counted, and only its response was lost.
            return Receipt(answered_at=client.clock.now(), outcome=str(error.problem.members.get("outcome", "")))
        if error.problem.name != Refusal.UNKNOWN_DEVICE:
            raise
    await link.renew()  # registers the device
    return await _post(client, store, request, reply)


async def _post(client: Client, store: Store, request: DeviceChallenge, reply: Reply) -> Receipt:
    path = f"/challenges/{request.claims.jti}/answer"
    sign = partial(
        sign_answer,
        store.key,
        challenge=request.challenge,
        verdict=reply.verdict,
        number=reply.number,
        agreement_key=store.agreement.public if _agrees(request, reply) else None,
    )
    retry_seconds = client.clock.seconds_until(request.claims.expires_at) + OUTCOME_SECONDS
    return await client.post(
        client.push_url,
        path,
        sign,
        Receipt,
        retry_seconds=retry_seconds,
        # So that any instance of the service can take the answer, whatever it has read so far.
        headers={CHALLENGE_HEADER: request.challenge},
        is_settled=lambda receipt: receipt.decided,
    )


def _agrees(request: DeviceChallenge, reply: Reply) -> bool:
    """Tell whether an answer sends the agreement key: it accepts a pairing whose issuer takes verification codes."""
    issuer = request.claims.login_issuer
    accepted = (request.claims.purpose, reply.verdict) == (Purpose.PAIRING, Verdict.APPROVE)
    return accepted and issuer is not None and issuer.agreement is not None
