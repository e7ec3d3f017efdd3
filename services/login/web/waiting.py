"""What the pages that wait for a phone show."""

from datetime import datetime
from typing import Any

from services.login.domain.login import Login
from services.login.web import login_pages
from services.login.web.receipts import Receipts


def waiting_details(login: Login, at: datetime, receipts: Receipts) -> dict[str, Any]:
    """Return what a page needs that waits for a login's phone.

    Args:
        login: The login.
        at: Now.
        receipts: How far each challenge came.

    """
    receipt = receipts.get(login_pages.pending_challenge_id(login) or "")
    pending = login.challenge if login.challenge is not None else login.pairing
    until = login.expires_at if pending is None else pending.expires_at
    challenged = login.challenge.device_name if login.challenge else ""
    return {
        "device_name": challenged or (receipt.device_name if receipt else ""),
        "delivery": receipt.delivery.value if receipt else "sending",
        "expires_at": until.isoformat(),
        "seconds_left": max(0, round((until - at).total_seconds())),
        "browser_name": login.browser.name,
        "address": login.browser.address,
        "place": login.browser.place,
        "kind": login.kind,
    }
