"""The statement by which an account's service tells a phone that it no longer answers for the account."""

from typing import Final

from pydantic import ValidationError

from protocol.challenges import Seconds
from protocol.jose import PrivateKey, SignatureError, sign_issued, verify_issued
from schemas.base import Digest, Identifier, Model, Text

UNPAIRED_TYPE: Final = "countersign-unpaired+jws"


class Unpaired(Model):
    """What the statement says.

    Attributes:
        iss: URL of the service that signed it: the one that signs the account's login challenges.
        aud: The device.
        iat: When, seconds since 1970.
        account_id: The account.
        pairing_id: The pairing that ended; a later pairing with the same account stands.

    """

    iss: Text
    aud: Digest
    iat: Seconds
    account_id: Identifier
    pairing_id: Identifier


def issue_unpaired(key: PrivateKey, unpaired: Unpaired) -> str:
    """Sign the statement. The same content and key give the same bytes.

    Returns:
        The compact JWS.

    """
    return sign_issued(key, UNPAIRED_TYPE, unpaired.model_dump_json().encode())


def verify_unpaired(compact: str) -> tuple[Unpaired, str]:
    """Check the statement against the key that it carries.

    Returns:
        What it says, and the thumbprint of the key, which the caller compares with the keys that it trusts.

    Raises:
        SignatureError: If it was altered, or is no such statement.

    """
    payload, key_id = verify_issued(compact, UNPAIRED_TYPE)
    try:
        return Unpaired.model_validate_json(payload), key_id
    except ValidationError as error:
        text = "it does not say what such a statement says"
        raise SignatureError(text) from error
