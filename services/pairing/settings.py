"""The pairing service's settings. Environment variables begin with PAIRING_."""

from pydantic_settings import SettingsConfigDict

from services.common.settings import Port, ServiceSettings
from services.pairing.domain.limits import PairingLimits

DEFAULT_PORT = 8200


class PairingSettings(ServiceSettings, PairingLimits):
    """What the pairing service can be told."""

    model_config = SettingsConfigDict(env_prefix="PAIRING_")

    port: Port = DEFAULT_PORT
    """Port to listen on."""
    issuer: str | None = None
    """URL that stands in its challenges, the same for all instances; default the public URL."""

    @property
    def limits(self) -> PairingLimits:
        """The limits alone."""
        return PairingLimits.model_validate({name: getattr(self, name) for name in PairingLimits.model_fields})
