"""Finds accounts by the names that people type: name, digest, the name's row, account id, the account's row."""

from typing import Final

from precis_i18n import get_profile

from protocol.encoding import keyed_digest
from services.common.rows.view import View
from services.login.domain.account import Account
from services.login.domain.names import Name

LONGEST_NAME: Final = 64
NAME_KEY: Final = "names"
"""The secret of the digests of names and addresses. Another one would be another deployment's: nobody is found."""
_PROFILE: Final = get_profile("UsernameCaseMapped")
_NAME: Final = b"countersign name\x00"
_OTHER_TEXT: Final = b"countersign text that is no name\x00"


def prepare_name(typed: str) -> str | None:
    """Return a typed sign-in name, prepared by UsernameCaseMapped (RFC 8265 section 3.3), without blanks around it.

    The result is None if no account can have that name: it has no or too many characters, or characters that are
    neither letters, marks, digits nor visible ASCII.
    """
    trimmed = typed.strip()
    if len(trimmed) > LONGEST_NAME:
        return None
    try:
        prepared: str = _PROFILE.enforce(trimmed)
    except UnicodeEncodeError:
        return None
    return prepared if len(prepared) <= LONGEST_NAME else None


def digest_name(key: bytes, typed: str) -> str:
    """Return the keyed digest of a typed name, or of whatever stands in its place, such as a password."""
    name = prepare_name(typed)
    context, text = (_OTHER_TEXT, typed) if name is None else (_NAME, name)
    return keyed_digest(key, context + text.encode(errors="surrogatepass"))


class Directory:
    """Looks up accounts by name. A name without an account takes the same steps.

    Attributes:
        key: The secret of the digests.

    """

    def __init__(self, key: bytes, names: View[Name], accounts: View[Account]) -> None:
        self.key: Final = key
        self._names = names
        self._accounts = accounts

    def digest(self, typed: str) -> str:
        """Return the keyed digest of a typed name; see `digest_name`."""
        return digest_name(self.key, typed)

    def find(self, name_digest: str) -> Account | None:
        """Return the account that has a name, by the name's digest.

        Raises:
            UnavailableError: While the views catch up.

        """
        account_id = self.account_id(name_digest)
        account = self._accounts.get(account_id or name_digest)
        return None if account is None or account.removed_at is not None else account

    def account_id(self, name_digest: str) -> str | None:
        """Return the id of the account that has a name, or None if the name is free.

        Raises:
            UnavailableError: While the view catches up.

        """
        row = self._names.get(name_digest)
        return None if row is None else row.account_id
