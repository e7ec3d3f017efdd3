"""Sends an answer until the push service has taken it, or the request is over (docs/protocol.md section 7)."""

from datetime import datetime
from functools import partial
from typing import Final

from authenticator.device.challenges import DeviceChallenge, Reply
from authenticator.device.client import Client
from authenticator.device.errors import ProblemError
from authenticator.device.link import Link
from authenticator.device.messages import Receipt
from authenticator.device.store import Store
from protocol.challenges import sign_answer
from protocol.signed_requests import Refusal
from schemas.contract import Purpose, Verdict

OUTCOME_SECONDS: Final = 600.0
"""How long after a request's expiry the service still tells what became of an answer to it (protocol.md section 7)."""


async def send_answer(client: Client, link: Link, store: Store, request: DeviceChallenge, reply: Reply) -> datetime:
    """Send an answer until it is known what became of it.

    An attempt that got no answer may have counted nevertheless. So the same answer is sent on past the request's
    expiry: the service then says that it had counted, or that the request expired.

    Returns:
        When the service took it.

    Raises:
        ProblemError: If the service does not take it.
        DeviceError: If it could not be reached until ten minutes after the request's expiry.

    """
    try:
        return await _post(client, store, request, reply)
    except ProblemError as error:
        if error.problem.name == Refusal.ALREADY_ANSWERED and error.problem.members.get("verdict") == reply.verdict:
            return client.clock.now()  # an earlier attempt had counted, and only its receipt was lost
        if error.problem.name != Refusal.UNKNOWN_DEVICE:
            raise
    await link.renew()  # which makes the device known
    return await _post(client, store, request, reply)


async def _post(client: Client, store: Store, request: DeviceChallenge, reply: Reply) -> datetime:
    path = f"/challenges/{request.claims.jti}/answer"
    sign = partial(
        sign_answer,
        store.key,
        challenge=request.challenge,
        verdict=reply.verdict,
        number=reply.number,
        agreement_key=store.agreement.public if _agrees(request, reply) else None,
    )
    patience_seconds = client.clock.seconds_until(request.claims.expires_at) + OUTCOME_SECONDS
    return (await client.post(client.push_url, path, sign, Receipt, patience_seconds=patience_seconds)).answered_at


def _agrees(request: DeviceChallenge, reply: Reply) -> bool:
    """Tell whether this answer agrees on verification codes: it accepts a pairing whose issuer takes them."""
    issuer = request.claims.login_issuer
    accepted = (request.claims.purpose, reply.verdict) == (Purpose.PAIRING, Verdict.APPROVE)
    return accepted and issuer is not None and issuer.agreement is not None
