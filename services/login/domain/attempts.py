"""Failed attempts by browsers that an account knows, counted apart from those of all others.

So a stranger who knows the name, or even the password, keeps no browser out in which its owner has signed in before.
Source: NIST SP 800-63B-4, section 3.2.2, which suggests to treat known browsers apart, and allows 100 failures in a row
on one account: half of them by each of the two.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from services.common.throttle import NO_FAILURES, PauseLimits, Throttle

SmallThrottle = Annotated[Throttle, Field(exclude_if=lambda throttle: throttle == NO_FAILURES)]
"""A throttle that takes no room in the row's JSON while it has no failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """The failures of one kind.

    Attributes:
        known: Those of browsers that the account knows.
        others: Those of all others.

    """

    known: SmallThrottle = NO_FAILURES
    others: SmallThrottle = NO_FAILURES

    def of(self, *, known: bool) -> Throttle:
        """Return the failures of known browsers, or of all others."""
        return self.known if known else self.others

    def failed(self, at: datetime, limits: PauseLimits, *, known: bool) -> "Attempts":
        """Return the attempts after one more failure."""
        throttle = self.of(known=known).failed(at, limits)
        return replace(self, known=throttle) if known else replace(self, others=throttle)


NO_ATTEMPTS: Final = Attempts()
