"""Delivery of challenges, from the push service's receipts. The waiting pages show it; no decision depends on it."""

import asyncio
from collections import OrderedDict
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.base import Message
from schemas.codec import Event
from schemas.contract import Delivery, PushReceipt
from schemas.topics import PUSH_RECEIPT
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.event_tail import EventTail
from services.common.waiters import Waiters
from services.login.domain.login import Login
from services.login.web import login_pages

LOOK_BACK: Final = timedelta(minutes=5)
MOST_KEPT: Final = 50_000


class Receipts:
    """The latest receipts, by challenge id."""

    def __init__(self, connection: KafkaConnection, prefix: str) -> None:
        self._receipts: OrderedDict[str, PushReceipt] = OrderedDict()
        self._waiters = Waiters()
        self._tail = EventTail(connection, f"{prefix}{PUSH_RECEIPT.name}", LOOK_BACK, self._apply)

    def get(self, challenge_id: str) -> PushReceipt | None:
        """Return the newest receipt for a challenge, or None."""
        return self._receipts.get(challenge_id)

    def watch(self, challenge_id: str, changed: asyncio.Event) -> AbstractContextManager[asyncio.Event]:
        """Set the event whenever a receipt for the challenge arrives."""
        return self._waiters.watch(challenge_id, changed)

    async def run(self) -> None:
        """Follow the receipts until cancelled."""
        await self._tail.run()

    def _apply(self, event: Event[Message]) -> None:
        receipt = event.data
        if not isinstance(receipt, PushReceipt):
            return
        known = self._receipts.get(receipt.challenge_id)
        if known is None or known.delivery is not Delivery.DELIVERED:
            self._receipts[receipt.challenge_id] = receipt
        while len(self._receipts) > MOST_KEPT:
            self._receipts.popitem(last=False)
        self._waiters.wake(receipt.challenge_id)


def waiting_details(login: Login, at: datetime, receipts: Receipts) -> dict[str, Any]:
    """Return what the template of a page needs that waits for a login's phone at a time."""
    receipt = receipts.get(login_pages.pending_challenge_id(login) or "")
    pending = login.challenge if login.challenge is not None else login.pairing
    until = login.expires_at if pending is None else pending.expires_at
    challenged = login.challenge.device_name if login.challenge else ""
    return {
        "device_name": challenged or (receipt.device_name if receipt else ""),
        "delivery": receipt.delivery.value if receipt else "sending",
        "seconds_left": max(0, round((until - at).total_seconds())),
        "browser_name": login.browser.name,
        "address": login.browser.address,
        "place": login.browser.place,
        "kind": login.kind,
    }
