"""The signed statement that notifies a phone of its removal from an account."""

from typing import Final

from pydantic import ValidationError

from protocol.challenges import Seconds
from protocol.jose import PrivateKey, SignatureError, sign_issued, verify_issued
from schemas.base import Digest, Identifier, Model, Text

UNPAIRED_TYPE: Final = "countersign-unpaired+jws"


class Unpaired(Model):
    """The claims of the statement.

    Attributes:
        iss: URL of the service that signed it, which also signs the account's login challenges.
        aud: The device's id.
        iat: When it was issued, seconds since 1970.
        account_id: The account.
        pairing_id: The pairing that ended; a later pairing with the same account remains valid.

    """

    iss: Text
    aud: Digest
    iat: Seconds
    account_id: Identifier
    pairing_id: Identifier


def issue_unpaired(key: PrivateKey, unpaired: Unpaired) -> str:
    """Sign the statement; the signature is deterministic.

    Returns:
        The compact JWS.

    """
    return sign_issued(key, UNPAIRED_TYPE, unpaired.model_dump_json().encode())


def verify_unpaired(compact: str) -> tuple[Unpaired, str]:
    """Verify the statement with the public key in its header.

    Returns:
        Its claims, and the thumbprint of the key, which the caller compares with its trusted keys.

    Raises:
        SignatureError: If it was altered, or is not an unpaired statement.

    """
    payload, key_id = verify_issued(compact, UNPAIRED_TYPE)
    try:
        return Unpaired.model_validate_json(payload), key_id
    except ValidationError as error:
        text = "the claims are not an unpaired statement's"
        raise SignatureError(text) from error
