"""What the end of a pairing does: the phone hears of it, and what the account asked the phone before waits no more."""

from dataclasses import replace

from protocol.challenges import Claims, verify_challenge
from protocol.jose import SignatureError
from protocol.unpaired import Unpaired, verify_unpaired
from schemas.base import Message
from schemas.codec import Event
from schemas.contract import DeviceUnpaired
from schemas.push_messages import TellUnpaired
from services.common.decisions import Decision, UnacceptableError
from services.push.domain.channel import MOST_UNPAIRED, Channel, PendingChallenge, UnpairedStatement


def pass_unpaired_on(event: Event[Message]) -> tuple[Message, ...]:
    """Return what the device's channel shall hear of an account's event; nothing where there is no statement."""
    match event.data:
        case DeviceUnpaired(statement=str() as statement) as unpaired:
            command = TellUnpaired(
                device_id=unpaired.device_id,
                at=event.time,
                account_id=unpaired.account_id,
                pairing_id=unpaired.pairing_id,
                statement=statement,
            )
            return (command,)
        case _:
            return ()


def keep_statement(channel: Channel, event: Event[TellUnpaired]) -> Decision[Channel]:
    """Keep the statement for the device, one a pairing, and let go what the account asked the device before.

    Whoever asked does not hear of it: the account's service ended the pairing itself, and its requests with it.

    Raises:
        UnacceptableError: If the statement was altered, or is not of this device, account and pairing.

    """
    ended = event.data
    said = _verified(ended)
    if any(each.pairing_id == ended.pairing_id for each in channel.unpaired):
        return Decision(channel)
    statement = UnpairedStatement(pairing_id=ended.pairing_id, statement=ended.statement)
    kept = replace(
        channel,
        pending=tuple(each for each in channel.pending if not _is_over(each, said)),
        unpaired=(*channel.unpaired, statement)[-MOST_UNPAIRED:],
    )
    return Decision(kept)


def _verified(ended: TellUnpaired) -> Unpaired:
    try:
        said, _ = verify_unpaired(ended.statement)
    except SignatureError as error:
        text = f"not a statement of an unpaired device: {error}"
        raise UnacceptableError(text) from error
    if (said.aud, said.account_id, said.pairing_id) != (ended.device_id, ended.account_id, ended.pairing_id):
        text = "the statement is of another device, account or pairing"
        raise UnacceptableError(text)
    return said


def _is_over(pending: PendingChallenge, said: Unpaired) -> bool:
    """Tell whether the account asked this before the pairing ended; what it asks later is of a later pairing."""
    try:
        claims, _ = verify_challenge(pending.challenge)
    except SignatureError:
        return False  # the device shows it to nobody
    return (claims.account_id, _account_issuer(claims)) == (said.account_id, said.iss) and claims.iat <= said.iat


def _account_issuer(claims: Claims) -> str:
    """Return the account's service: a pairing's challenge is signed by another one, and names it."""
    return claims.login_issuer.issuer if claims.login_issuer else claims.iss
