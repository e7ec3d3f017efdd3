"""An authenticator app of another vendor."""

from datetime import UTC, datetime, timedelta

import pyotp

from protocol.verification_codes import STEP_SECONDS


class App:
    """An authenticator app that was given a secret."""

    def __init__(self, secret_text: str) -> None:
        """Take the secret as the page shows it: base32 in groups."""
        self._totp = pyotp.TOTP(secret_text.replace(" ", ""))

    def code(self, steps_later: int = 0) -> str:
        """Return the code of now, or of a later time step; the next step's code is accepted, too."""
        return self._totp.at(datetime.now(UTC) + timedelta(seconds=steps_later * STEP_SECONDS))
