"""The pairing service's settings. Environment variables begin with PAIRING_."""

from pydantic_settings import SettingsConfigDict

from services.common.settings import Origin, Port, ServiceSettings
from services.pairing.domain.limits import PairingLimits

DEFAULT_PORT = 8200


class PairingSettings(ServiceSettings, PairingLimits):
    """Settings of one instance."""

    model_config = SettingsConfigDict(env_prefix="PAIRING_")

    port: Port = DEFAULT_PORT
    """Port to listen on."""
    issuer: Origin | None = None
    """URL of the issuer in challenges, the same for all instances; default the public URL."""

    @property
    def limits(self) -> PairingLimits:
        """The limits, without the other settings."""
        return PairingLimits.model_validate({name: getattr(self, name) for name in PairingLimits.model_fields})
