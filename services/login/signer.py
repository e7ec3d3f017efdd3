"""The login service's signer, from its settings and keys."""

from protocol.agreement import AgreementPrivateKey
from services.common.keys.keys import SigningKeys, load_secret
from services.login.domain.policy import KeySigner
from services.login.settings import LoginSettings


def make_signer(settings: LoginSettings, signing_keys: SigningKeys, agreement: AgreementPrivateKey) -> KeySigner:
    """Return the service's signer; ``agreement`` is the key for the verification codes of new phones."""
    return KeySigner(
        issuer=settings.issuer,
        service_name=settings.product_name,
        key=signing_keys.active,
        accepted_keys=signing_keys.thumbprints,
        agreement_key=agreement.public,
        seal_key=load_secret(settings.shared_secrets, "phrase"),
        number_key=load_secret(settings.secrets_directory, "numbers"),
    )
