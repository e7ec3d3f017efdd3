"""The pairing service's signer, from its settings and keys."""

from services.common.keys.keys import SigningKeys
from services.pairing.domain.policy import PairingSigner
from services.pairing.settings import PairingSettings


def make_signer(settings: PairingSettings, signing_keys: SigningKeys, seal_key: bytes) -> PairingSigner:
    """Return the service's signer; ``seal_key`` is the secret that the pairing and login services share."""
    return PairingSigner(
        issuer=settings.issuer or settings.url,
        key=signing_keys.active,
        accepted_keys=frozenset(signing_keys.thumbprints),
        seal_key=seal_key,
    )
