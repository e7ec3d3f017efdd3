"""The end of a pairing: the phone gets the statement, and the account's earlier challenges are removed."""

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


def relay_unpaired(event: Event[Message]) -> tuple[Message, ...]:
    """Return the command to the device's channel for an account's event; none without a statement."""
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
    """Keep a statement for the device, one per pairing, and remove the account's earlier challenges.

    The login service gets no message about them: it ended them itself.

    Raises:
        UnacceptableError: If the statement was altered, or is about another device, account or pairing.

    """
    ended = event.data
    verified = _verified(ended)
    if any(each.pairing_id == ended.pairing_id for each in channel.unpaired):
        return Decision(channel)
    statement = UnpairedStatement(pairing_id=ended.pairing_id, statement=ended.statement)
    kept = replace(
        channel,
        pending=tuple(each for each in channel.pending if not _is_over(each, verified)),
        unpaired=(*channel.unpaired, statement)[-MOST_UNPAIRED:],
    )
    return Decision(kept)


def _verified(ended: TellUnpaired) -> Unpaired:
    try:
        statement, _ = verify_unpaired(ended.statement)
    except SignatureError as error:
        text = f"not a statement of an unpaired device: {error}"
        raise UnacceptableError(text) from error
    if (statement.aud, statement.account_id, statement.pairing_id) != (
        ended.device_id,
        ended.account_id,
        ended.pairing_id,
    ):
        text = "the statement is about another device, account or pairing"
        raise UnacceptableError(text)
    return statement


def _is_over(pending: PendingChallenge, statement: Unpaired) -> bool:
    """Tell whether a challenge is the account's, and was issued before its pairing ended."""
    try:
        claims, _ = verify_challenge(pending.challenge)
    except SignatureError:
        return False  # no device shows it
    return (claims.account_id, _account_issuer(claims)) == (
        statement.account_id,
        statement.iss,
    ) and claims.iat <= statement.iat


def _account_issuer(claims: Claims) -> str:
    """Return the issuer of the account's challenges, which a challenge of the pairing service names."""
    return claims.login_issuer.issuer if claims.login_issuer else claims.iss
