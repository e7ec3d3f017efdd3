"""What the topic of challenges tells, ahead of the channels' rows.

A challenge reaches its socket as soon as the instance reads it, and a device hears how its challenge ended as soon as
its issuer has decided. The row of the channel follows, and is the complete way: it has what was told before this
instance began to read.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from schemas.base import Message
from schemas.codec import Event
from schemas.contract import ChallengeEnded, ChallengeIssued
from schemas.topics import AUTH_CHALLENGE
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.event_tail import EventTail
from services.common.rows.view import View
from services.common.waiters import Waiters
from services.push.domain.channel import Channel, EndedChallenge, PendingChallenge

LOOK_BACK: Final = timedelta(minutes=5)
"""Longer than a challenge lives, and than a row takes to follow."""
MOST_KEPT: Final = 20_000


@dataclass(slots=True)
class _Told:
    """What was told of one device's challenges lately, by their ids.

    Attributes:
        pending: The challenges, even those that ended.
        ended: How those ended.
        ends: How often that was told.

    """

    pending: dict[str, PendingChallenge] = field(default_factory=dict)
    ended: dict[str, EndedChallenge] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)


class ChallengeFeed:
    """The devices' challenges as the topic tells them, together with their channels' rows."""

    def __init__(
        self,
        connection: KafkaConnection,
        prefix: str,
        channels: View[Channel],
        *,
        most_kept: int = MOST_KEPT,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the feed; `run` follows the topic.

        Args:
            connection: How to reach Kafka.
            prefix: The topics' prefix.
            channels: The channels' rows.
            most_kept: How many challenges are kept, for `LOOK_BACK` at most.
            elapsed: A clock that only goes forward, in seconds.

        """
        self._channels = channels
        self._most_kept = most_kept
        self._elapsed = elapsed
        self._told: dict[str, _Told] = {}
        self._kept: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._waiters = Waiters()
        self._tail = EventTail(connection, f"{prefix}{AUTH_CHALLENGE.name}", LOOK_BACK, self.apply)

    async def run(self) -> None:
        """Follow the topic until cancelled."""
        await self._tail.run()

    def channel(self, device_id: str) -> Channel | None:
        """Return a device's channel with what the topic has told since its row; None for an unknown device.

        Raises:
            UnavailableError: While the rows are being read.

        """
        channel, told = self._channels.get(device_id), self._told.get(device_id)
        if told is None:
            return channel
        channel = channel or Channel(device_id=device_id)
        current = replace(
            channel,
            pending=tuple(each for each in channel.pending if each.challenge_id not in told.ended),
            # What was told last comes last; a row may be behind.
            ended=(*(each for each in channel.ended if each.challenge_id not in told.ended), *told.ended.values()),
        )
        for each in told.pending.values():
            is_known = current.waiting(each.challenge_id) or current.end_of(each.challenge_id)
            current = current if is_known else current.with_pending(each) or current
        return current

    def ends_told(self, device_id: str, challenge_id: str) -> int:
        """Return how often the topic has told lately how a challenge ended: once for each answer, even a late one."""
        told = self._told.get(device_id)
        return 0 if told is None else told.ends[challenge_id]

    @contextmanager
    def watch(self, device_id: str, changed: asyncio.Event | None = None) -> Iterator[asyncio.Event]:
        """Yield an event that is set on every change of the device's channel; clear it before reading the channel."""
        with self._channels.watch(device_id, changed) as event, self._waiters.watch(device_id, event):
            yield event

    async def wait_until(
        self, device_id: str, holds: Callable[[Channel], bool], timeout_seconds: float
    ) -> Channel | None:
        """Wait until a device's channel meets a condition.

        Returns:
            The channel, or None after the timeout.

        """
        with self.watch(device_id) as changed:
            try:
                async with asyncio.timeout(timeout_seconds):
                    while True:
                        changed.clear()
                        channel = self.channel(device_id)
                        if channel is not None and holds(channel):
                            return channel
                        await changed.wait()
            except TimeoutError:
                return None

    def apply(self, event: Event[Message]) -> None:
        """Take what the topic tells next."""
        match event.data:
            case ChallengeIssued() as issued:
                told = self._told.setdefault(issued.device_id, _Told())
                told.pending[issued.challenge_id] = PendingChallenge.of(issued, event.traceparent)
                self._keep(issued.device_id, issued.challenge_id)
            case ChallengeEnded() as ended:
                told = self._told.setdefault(ended.device_id, _Told())
                told.ended[ended.challenge_id] = EndedChallenge.of(ended)
                told.ends[ended.challenge_id] += 1
                self._keep(ended.device_id, ended.challenge_id)
            case _:
                pass

    def _keep(self, device_id: str, challenge_id: str) -> None:
        """Wake the device's socket, and forget what is too old or too much."""
        at = self._elapsed()
        self._kept[device_id, challenge_id] = at
        self._kept.move_to_end((device_id, challenge_id))
        while len(self._kept) > self._most_kept or at - next(iter(self._kept.values())) > LOOK_BACK.total_seconds():
            (other, forgotten), _ = self._kept.popitem(last=False)
            told = self._told[other]
            told.pending.pop(forgotten, None)
            told.ended.pop(forgotten, None)
            told.ends.pop(forgotten, None)
            if not told.pending and not told.ended:
                del self._told[other]
        self._waiters.wake(device_id)
