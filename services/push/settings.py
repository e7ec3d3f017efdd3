"""The push service's settings. Environment variables begin with PUSH_."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.common.settings import Origin, Port, ServiceSettings

DEFAULT_PORT = 8300


class PushSettings(ServiceSettings):
    """Settings of one instance."""

    model_config = SettingsConfigDict(env_prefix="PUSH_")

    port: Port = DEFAULT_PORT
    """Port to listen on."""
    product_name: Annotated[str, Field(min_length=1, max_length=60)] = "Salesforce Authenticator"
    """The authenticator's name, as people read it."""
    pairing_url: Origin = "http://localhost:8200"
    """The pairing service's URL, for devices."""
    issuer_urls: tuple[Origin, ...] = ("http://localhost:8100",)
    """URLs of the login services whose key sets the web app may fetch."""
    most_sockets: Annotated[int, Field(ge=1)] = 10_000
    """Most devices connected to one instance, at most half of them not paired; others are closed with code 1013."""
    most_strangers_per_network: Annotated[int, Field(ge=1)] = 50
    """Most devices that are not paired, connected to one instance from one network; the oldest leaves for a new one."""
