"""Compares two messages or two rows, regardless of which of a service's keys signed their content.

Signatures are deterministic, so mostly the bytes are equal. If another key was active at the time, the signed content
is compared, and the signature must be by a current or former key of the service.
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
    """Compares rows or messages under the keys of a deployment."""

    policies: Policies

    def differences(self, first: Row | Message, second: Row | Message) -> list[str]:
        """Return the names of the differing fields of two rows or messages, ignoring a row's version."""
        if first.__class__ is not second.__class__:
            return ["type"]
        if _unversioned(first) == _unversioned(second):
            return []
        one, other = (_data(_unversioned(each)) for each in (first, second))
        return [name for name in one if self._normal(one[name], name) != self._normal(other[name], name)]

    def same(self, first: Row | Message, second: Row | Message) -> bool:
        """Return whether two rows or messages are equal, ignoring a row's version."""
        return not self.differences(first, second)

    def _normal(self, value: Any, name: str = "") -> Any:
        """Return a value in which a placeholder replaces the parts that depend on the active key."""
        if name == "issuer_keys" and set(value) <= self.policies.login_keys:
            return "keys of the login service"
        if name == "issuer_agreement" and value is not None and self._offers(value):
            return "a key of the login service"
        if isinstance(value, dict):
            return {each: self._normal(content, each) for each, content in value.items()}
        if isinstance(value, list):
            return [self._normal(each) for each in value]
        return self._claims(value) if isinstance(value, str) and value.count(".") == _DOTS else value

    def _claims(self, text: str) -> str:
        """Return the content of a service's signed statement, or the text itself if it is not signed by a service."""
        keys = self.policies.login_keys | self.policies.pairing_keys
        for kind in (CHALLENGE_TYPE, UNPAIRED_TYPE):
            try:
                payload, key = verify_issued(text, kind)
            except SignatureError:
                continue
            if key in keys:
                return f"{kind} {payload.decode()}"
        return text

    def _offers(self, key: Mapping[str, Any]) -> bool:
        return PublicKey.from_jwk(key).thumbprint in self.policies.agreement_keys


def _unversioned(model: Row | Message) -> Row | Message:
    return replace(model, version=0) if isinstance(model, Row) else model


def _data(model: Row | Message) -> dict[str, Any]:
    return row_data(model) if isinstance(model, Row) else model.model_dump(mode="json")
