"""The services' policies for a replay: limits from the settings, keys from the secrets directory."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from operations.audit.bound_table import BoundTable
from operations.deployment import RELAYS, TABLES
from schemas.topics import LOGIN, PAIRING
from services.common.keys.key_rotation import require_keys
from services.common.keys.keys import AGREEMENT, SIGNING, load_agreement_keys, load_signing_keys, require_secret
from services.common.rows.table import Relay, Table
from services.common.settings import load_settings
from services.login.domain.policy import Policy
from services.login.settings import LoginSettings
from services.login.signer import make_signer as make_login_signer
from services.pairing.domain.policy import PairingPolicy
from services.pairing.settings import PairingSettings
from services.pairing.signer import make_signer as make_pairing_signer

PROGRAM = "countersign"
DECLARED: tuple[Table[Any] | Relay, ...] = (*TABLES, *RELAYS)


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of a deployment's services.

    Attributes:
        login: The login service's policy, which accepts all its current and former signing keys.
        pairing: The same for the pairing service.
        agreement_keys: Thumbprints of the login service's current and former agreement keys.

    """

    login: Policy
    pairing: PairingPolicy
    agreement_keys: frozenset[str]

    @property
    def login_keys(self) -> frozenset[str]:
        """Thumbprints of the login service's current and former signing keys."""
        return frozenset(self.login.signer.accepted_keys)

    @property
    def pairing_keys(self) -> frozenset[str]:
        """Thumbprints of the pairing service's current and former signing keys."""
        return self.pairing.signer.accepted_keys

    def tables(self) -> tuple[BoundTable, ...]:
        """Return all tables and relays with their policies."""
        of_service = {LOGIN: self.login, PAIRING: self.pairing}
        return tuple(BoundTable(each, of_service.get(each.service)) for each in DECLARED)


def load_policies(directory: Path, retired: frozenset[str] = frozenset()) -> Policies:
    """Return the services' policies; missing keys are not created.

    Args:
        directory: The login service's secrets directory; the pairing service's too, unless its settings name another.
        retired: Thumbprints of retired keys whose signatures remain valid.

    Raises:
        KeyFileError: If a key is missing or unreadable. An invalid environment ends the process, like a service.

    """
    require_keys(directory, LOGIN, SIGNING)
    require_keys(directory, LOGIN, AGREEMENT)
    require_secret(directory, "numbers")
    login = load_settings(LoginSettings, PROGRAM, ["--secrets-directory", str(directory)])
    seal_key = require_secret(login.shared_secrets, "phrase")
    pairing = load_settings(PairingSettings, PROGRAM, [])
    pairing_directory = pairing.secrets_directory if "secrets_directory" in pairing.model_fields_set else directory
    require_keys(pairing_directory, PAIRING, SIGNING)
    agreement_keys = load_agreement_keys(directory, LOGIN)
    signer = make_login_signer(login, load_signing_keys(directory, LOGIN), agreement_keys.active)
    pairing_signer = make_pairing_signer(pairing, load_signing_keys(pairing_directory, PAIRING), seal_key)
    return Policies(
        Policy(login.limits, replace(signer, accepted_keys=(*signer.accepted_keys, *sorted(retired)))),
        PairingPolicy(pairing.limits, replace(pairing_signer, accepted_keys=pairing_signer.accepted_keys | retired)),
        frozenset(key.key_id for key in agreement_keys.all),
    )
