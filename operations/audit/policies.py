"""What the services decide with, for whoever decides again: rules by the settings, keys of the secrets directory."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from operations.audit.tables import Table, all_tables
from schemas.topics import LOGIN, PAIRING
from services.common.keys.key_rotation import require_keys
from services.common.keys.keys import AGREEMENT, SIGNING, load_agreement_keys, load_signing_keys, require_secret
from services.common.settings import load_settings
from services.login.domain.limits import Rules
from services.login.rules import make_rules as make_login_rules
from services.login.settings import LoginSettings
from services.pairing.domain.phrase import PairingRules
from services.pairing.rules import make_rules as make_pairing_rules
from services.pairing.settings import PairingSettings

PROGRAM = "countersign"


@dataclass(frozen=True, slots=True)
class Policies:
    """The rules of a deployment.

    Attributes:
        login: The login service's; its accepted keys are all that its signatures may be by.
        pairing: The pairing service's, likewise.
        agreement_keys: Thumbprints of the keys that the login service offers, or has offered, for codes.

    """

    login: Rules
    pairing: PairingRules
    agreement_keys: frozenset[str]

    @property
    def login_keys(self) -> frozenset[str]:
        """Thumbprints of the keys that the login service signs with or has signed with."""
        return frozenset(self.login.accepted_keys)

    @property
    def pairing_keys(self) -> frozenset[str]:
        """Thumbprints of the keys that the pairing service signs with or has signed with."""
        return self.pairing.accepted_keys

    def tables(self) -> tuple[Table, ...]:
        """Return the tables under these rules."""
        return all_tables(self.login, self.pairing)


def load_policies(
    directory: Path, retired: frozenset[str] = frozenset(), changes: Mapping[str, Any] | None = None
) -> Policies:
    """Return the rules as the services have them, which make no key here.

    Args:
        directory: The services' secrets directory.
        retired: Thumbprints of keys that were retired and whose signatures are to hold.
        changes: Settings of the login service, by name, that go before those of the environment.

    Raises:
        KeyFileError: If a key is missing or unreadable.
        ValidationError: If a change is invalid. An invalid environment ends the process, as it ends a service.

    """
    require_keys(directory, LOGIN, SIGNING)
    require_keys(directory, LOGIN, AGREEMENT)
    require_keys(directory, PAIRING, SIGNING)
    seal_key = require_secret(directory, "phrase")
    require_secret(directory, "numbers")
    settings = load_settings(LoginSettings, PROGRAM, [])
    if changes:
        settings = LoginSettings(**changes)  # what it is not given here, it has from the environment
    settings = settings.model_copy(update={"secrets_directory": directory})
    agreement_keys = load_agreement_keys(directory, LOGIN)
    login = make_login_rules(settings, load_signing_keys(directory, LOGIN), agreement_keys.active)
    pairing = make_pairing_rules(
        load_settings(PairingSettings, PROGRAM, []), load_signing_keys(directory, PAIRING), seal_key
    )
    return Policies(
        replace(login, accepted_keys=(*login.accepted_keys, *sorted(retired))),
        replace(pairing, accepted_keys=pairing.accepted_keys | retired),
        frozenset(key.key_id for key in agreement_keys.all),
    )
