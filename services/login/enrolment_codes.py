"""tmp."""

import hmac


class EnrolmentCodes:
    """tmp."""

    def __init__(self, key: bytes) -> None:
        """Tmp."""
        self._key = key

    def matches(self, account_id: str, identifier: str, typed: str) -> bool:
        """Tmp."""
        return typed == hmac.new(self._key, f"{account_id}{identifier}".encode(), "sha256").hexdigest()
