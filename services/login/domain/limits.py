"""The limits of the login service: how often, how long, how many. Its settings are these limits and more."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.common.throttle import PauseLimits, Seconds, WindowLimits


class Enrolment(StrEnum):
    """What the first pairing needs beside the password."""

    NOTHING = "nothing"
    EMAIL = "email"
    INVITATION = "invitation"


class Limits(BaseModel):
    """The limits of one deployment."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    enrolment: Enrolment = Enrolment.NOTHING
    """What the first pairing needs beside the password: nothing, email or invitation."""
    enrolment_emails: WindowLimits = WindowLimits(most=5, window_seconds=60 * 60)
    """Enrolment codes that are sent by e-mail to an account."""
    number_matching: bool = True
    """Whether an approval on the phone must hold the number that the browser shows."""
    challenge_seconds: Annotated[int, Field(ge=10, le=3600)] = 120
    """How long a challenge on the phone can be answered."""
    challenges: WindowLimits = WindowLimits(most=3, window_seconds=600)
    """Challenges that are sent to an account's phones."""
    denials: PauseLimits = PauseLimits(tries=2, pause_seconds=60, longest_pause_seconds=60 * 60)
    """Challenges in a row that were denied, answered with a wrong number, or not answered."""
    passwords: PauseLimits = PauseLimits(
        tries=5, pause_seconds=30, longest_pause_seconds=15 * 60, forget_after_seconds=60 * 60
    )
    """Wrong passwords in a row for one name."""
    addresses: PauseLimits = PauseLimits(
        tries=20, pause_seconds=30, longest_pause_seconds=15 * 60, forget_after_seconds=60 * 60
    )
    """Wrong passwords in a row from one address, for whatever names."""
    codes: PauseLimits = PauseLimits(tries=5, pause_seconds=30, longest_pause_seconds=60 * 60)
    """Wrong codes in a row."""
    phrases: PauseLimits = PauseLimits(tries=5, pause_seconds=300, longest_pause_seconds=300)
    """Pairing phrases in a row that paired no phone."""
    login_seconds: Seconds = 1800
    """How long a login may take from the password on."""
    session_seconds: Seconds = 12 * 60 * 60
    """How long a session lasts."""
    session_idle_seconds: Seconds = 60 * 60
    """How long a session lasts when nothing is done in it."""
    confirmation_seconds: Seconds = 600
    """How long after the second factor a session may change the account without giving it again."""
    remember_days: Annotated[int, Field(ge=0, le=365)] = 0
    """How many days a browser can be remembered, to sign in by the password alone; 0 remembers none."""

    @property
    def login_lifetime(self) -> timedelta:
        """How long a login may take from the password on."""
        return timedelta(seconds=self.login_seconds)

    @property
    def challenge_lifetime(self) -> timedelta:
        """How long a challenge on the phone can be answered."""
        return timedelta(seconds=self.challenge_seconds)

    @property
    def session_lifetime(self) -> timedelta:
        """How long a session lasts."""
        return timedelta(seconds=self.session_seconds)

    @property
    def idle_lifetime(self) -> timedelta:
        """How long a session lasts when nothing is done in it."""
        return timedelta(seconds=self.session_idle_seconds)

    @property
    def confirmation_lifetime(self) -> timedelta:
        """How long a confirmation lasts."""
        return timedelta(seconds=self.confirmation_seconds)

    @property
    def remember_lifetime(self) -> timedelta:
        """How long a browser is remembered; nothing if none is."""
        return timedelta(days=self.remember_days)
