"""The pairing service's rules as its settings and keys describe them, for whoever decides by them."""

from services.common.keys.keys import SigningKeys
from services.pairing.domain.phrase import PairingRules
from services.pairing.settings import PairingSettings


def make_rules(settings: PairingSettings, signing_keys: SigningKeys, seal_key: bytes) -> PairingRules:
    """Return the rules that the settings describe.

    Args:
        settings: The settings.
        signing_keys: What signs its challenges.
        seal_key: The secret that the pairing and login services share.

    """
    return PairingRules(
        issuer=settings.issuer or settings.url,
        key=signing_keys.active,
        accepted_keys=frozenset(signing_keys.thumbprints),
        seal_key=seal_key,
    )
