"""The login service's limits, which are a part of its settings."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.common.throttle import PauseLimits, Seconds, WindowLimits


class Enrolment(StrEnum):
    """What the first pairing requires beside the password."""

    NOTHING = "nothing"
    EMAIL = "email"
    INVITATION = "invitation"


class Limits(BaseModel):
    """The limits of one deployment."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    enrolment: Enrolment = Enrolment.NOTHING
    """What the first pairing requires beside the password: nothing, email or invitation."""
    enrolment_emails: WindowLimits = WindowLimits(most=5, window_seconds=60 * 60)
    """Enrolment codes sent by e-mail, per account."""
    number_matching: bool = True
    """Whether an approval on the phone needs the number that the browser shows."""
    challenge_seconds: Annotated[int, Field(ge=10, le=3600)] = 120
    """How long a challenge can be answered."""
    challenges: WindowLimits = WindowLimits(most=3, window_seconds=600)
    """Challenges to an account's phones."""
    denials: PauseLimits = PauseLimits(tries=2, pause_seconds=60, longest_pause_seconds=60 * 60)
    """Challenges in a row that were denied, answered with a wrong number, or not answered."""
    passwords: PauseLimits = PauseLimits(
        tries=5, pause_seconds=30, longest_pause_seconds=15 * 60, forget_after_seconds=12 * 60, close_after=50
    )
    """Wrong passwords in a row for one name: by browsers that the account knows, and by all others, each."""
    addresses: PauseLimits = PauseLimits(
        tries=20, pause_seconds=30, longest_pause_seconds=15 * 60, forget_after_seconds=3 * 60
    )
    """Wrong passwords from one network, for any names."""
    sign_ins: PauseLimits = PauseLimits(tries=10, pause_seconds=60, longest_pause_seconds=60, forget_after_seconds=6)
    """Sign-ins begun for one account and not completed: by browsers that it knows, and by all others, each."""
    codes: PauseLimits = PauseLimits(tries=5, pause_seconds=30, longest_pause_seconds=60 * 60, close_after=50)
    """Wrong verification codes in a row: by browsers that the account knows, and by all others, each."""
    recovery_codes: PauseLimits = PauseLimits(tries=5, pause_seconds=30, longest_pause_seconds=60 * 60, close_after=50)
    """Wrong recovery codes in a row, likewise."""
    phrases: PauseLimits = PauseLimits(tries=5, pause_seconds=300, longest_pause_seconds=300)
    """Pairing phrases in a row that paired no phone."""
    login_seconds: Seconds = 1800
    """How long a login may take, from the password to its completion."""
    session_seconds: Seconds = 12 * 60 * 60
    """How long a session lasts."""
    session_idle_seconds: Seconds = 60 * 60
    """How long an idle session lasts."""
    confirmation_seconds: Seconds = 600
    """How long after the second factor a session may change the account without a confirmation."""
    remember_days: Annotated[int, Field(ge=0, le=365)] = 0
    """For how many days a browser can be remembered and signs in by the password alone; 0 turns this off."""

    @property
    def login_lifetime(self) -> timedelta:
        """How long a login may take, from the password to its completion."""
        return timedelta(seconds=self.login_seconds)

    @property
    def challenge_lifetime(self) -> timedelta:
        """How long a challenge can be answered."""
        return timedelta(seconds=self.challenge_seconds)

    @property
    def session_lifetime(self) -> timedelta:
        """How long a session lasts."""
        return timedelta(seconds=self.session_seconds)

    @property
    def idle_lifetime(self) -> timedelta:
        """How long an idle session lasts."""
        return timedelta(seconds=self.session_idle_seconds)

    @property
    def confirmation_lifetime(self) -> timedelta:
        """How long a confirmation lasts."""
        return timedelta(seconds=self.confirmation_seconds)

    @property
    def remember_lifetime(self) -> timedelta:
        """How long a browser is remembered; zero if none is."""
        return timedelta(days=self.remember_days)
