"""Whether two messages, or two rows, say the same, whichever of a service's keys signed what is in them.

Signatures are deterministic, so mostly the bytes are the same. Where another key was active at the time, what was
signed is compared instead, and the signature must be by a key that the service has or has had.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from operations.audit.policies import Policies
from protocol.challenges import CHALLENGE_TYPE
from protocol.jose import PublicKey, SignatureError, verify_issued
from protocol.unpaired import UNPAIRED_TYPE
from schemas.base import Message
from services.common.decisions import Row
from services.common.rows.codec import row_data

_DOTS: Final = 2


@dataclass(frozen=True, slots=True)
class Diff:
    """Compares under the keys of a deployment."""

    rulebook: Policies

    def differences(self, first: Row | Message, second: Row | Message) -> list[str]:
        """Return the names of the fields in which two rows or messages differ, a row's stamp aside."""
        if first.__class__ is not second.__class__:
            return ["type"]
        if _unstamped(first) == _unstamped(second):
            return []
        one, other = (_data(_unstamped(each)) for each in (first, second))
        return [name for name in one if self._normal(one[name], name) != self._normal(other[name], name)]

    def same(self, first: Row | Message, second: Row | Message) -> bool:
        """Tell whether two rows or messages say the same, a row's stamp aside."""
        return not self.differences(first, second)

    def _normal(self, value: Any, name: str = "") -> Any:
        """Return a value with what only says which key was in use replaced by what does not."""
        if name == "issuer_keys" and set(value) <= self.rulebook.login_keys:
            return "keys of the login service"
        if name == "issuer_agreement" and value is not None and self._offers(value):
            return "a key of the login service"
        if isinstance(value, dict):
            return {each: self._normal(content, each) for each, content in value.items()}
        if isinstance(value, list):
            return [self._normal(each) for each in value]
        return self._claims(value) if isinstance(value, str) and value.count(".") == _DOTS else value

    def _claims(self, text: str) -> str:
        """Return what a service of ours signed, or the text as it is if none did."""
        keys = self.rulebook.login_keys | self.rulebook.pairing_keys
        for kind in (CHALLENGE_TYPE, UNPAIRED_TYPE):
            try:
                payload, key = verify_issued(text, kind)
            except SignatureError:
                continue
            if key in keys:
                return f"{kind} {payload.decode()}"
        return text

    def _offers(self, key: Mapping[str, Any]) -> bool:
        return PublicKey.from_jwk(key).thumbprint in self.rulebook.agreement_keys


def is_repeated(before: Row, row: Row) -> bool:
    """Tell whether a row was merely written again: nothing in it is signed anew."""
    return _unstamped(before) == _unstamped(row)


def _unstamped(model: Row | Message) -> Row | Message:
    return replace(model, epoch=0, version=0) if isinstance(model, Row) else model


def _data(model: Row | Message) -> dict[str, Any]:
    return row_data(model) if isinstance(model, Row) else model.model_dump(mode="json")
