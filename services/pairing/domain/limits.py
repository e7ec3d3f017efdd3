"""The pairing service's limits, which are a part of its settings."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.common.throttle import PauseLimits, WindowLimits


class PairingLimits(BaseModel):
    """The limits of one deployment."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    phrase_seconds: Annotated[int, Field(ge=30, le=3600)] = 300
    """How long a phrase can be entered."""
    phrases: WindowLimits = WindowLimits(most=20, window_seconds=600)
    """Phrases per device."""
    networks: PauseLimits = PauseLimits(
        tries=120, pause_seconds=30, longest_pause_seconds=10 * 60, forget_after_seconds=5
    )
    """Phrases for one network's devices, at one instance."""

    @property
    def phrase_lifetime(self) -> timedelta:
        """How long a phrase can be entered."""
        return timedelta(seconds=self.phrase_seconds)
