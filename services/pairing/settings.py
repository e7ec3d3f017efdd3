"""The pairing service's settings. Environment variables begin with PAIRING_."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.common.settings import Port, ServiceSettings

DEFAULT_PORT = 8200


class PairingSettings(ServiceSettings):
    """What the pairing service can be told."""

    model_config = SettingsConfigDict(env_prefix="PAIRING_")

    port: Port = DEFAULT_PORT
    """Port to listen on."""
    issuer: str | None = None
    """URL that stands in its challenges, the same for all instances; default the public URL."""
    phrase_seconds: Annotated[int, Field(ge=30, le=3600)] = 300
    """How long a phrase can be entered."""
