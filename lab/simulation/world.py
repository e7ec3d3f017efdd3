"""One seed: instances of the toy service that are killed, paused and put out, while commands come in."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from math import inf
from random import Random
from typing import Final

from aiokafka import TopicPartition

from lab.simulation.broker import HELD_SECONDS, Broker, Partition, SimulatedRecord
from lab.simulation.claims import CHANGELOG, Claims
from lab.simulation.group import Group
from lab.simulation.instance import Instance
from lab.simulation.loop import EPOCH_SECONDS, Process, SimulatedLoop, simulate
from lab.simulation.toy import KEYS, TABLE, AddLetter, AddNumber, known_messages
from schemas.codec import Event, encode
from services.common.kafka.partitions import partition_of
from services.common.rows.changelog import PartitionState
from services.common.rows.fence import is_mark, stamp_of

PARTITIONS: Final = 2
INSTANCES: Final = 2
MOST_COMMANDS: Final = 40
MOST_PAUSE_SECONDS: Final = 1.0
"""Between two commands."""
MOST_FAULTS: Final = 12
FAULT_SECONDS: Final = 8.0
"""Between two faults at most."""
DOWN_SECONDS: Final = 12.0
STILL_SECONDS: Final = 15.0
CUT_SECONDS: Final = 4.0
"""How long a log that has lost its end takes no records."""
HEALED_SECONDS: Final = HELD_SECONDS + 4.0
"""How soon an owner that nothing befalls has written again what a void record hides."""
QUIET_SECONDS: Final = 400.0
"""How long after the last fault all must be done."""
OLD_RELEASE: Final = 0.1
"""How often one instance begins with the release before."""
CUT: Final = 0.1
"""How often a changelog may lose its end."""
Note = Callable[[str], None]
"""Takes a line of a seed's story."""


class BrokenClaimError(Exception):
    """What must hold does not. The text says what, and when."""


class World:
    """All of one seed.

    Attributes:
        seed: The seed.
        digest: Of all that was written and committed, once it has run.
        steps: How many steps it took, once it has run.

    """

    def __init__(self, seed: int, kinds: Sequence[str] = (), note: Note | None = None) -> None:
        """Prepare it.

        Args:
            seed: The seed.
            kinds: The kinds of faults that happen; empty leaves it to the seed.
            note: Takes each line of the seed's story, if there is to be one.

        """
        self.seed: Final = seed
        self.digest = ""
        self.steps = 0
        self._kinds = kinds
        self._note = note

    def run(self) -> None:
        """Simulate, and check.

        Raises:
            BrokenClaimError: If what must hold does not.

        """
        with known_messages():
            simulate(Random(self.seed), self._main)  # noqa: S311 - a seed must play the same again

    async def _main(self, loop: SimulatedLoop) -> None:
        random = Random(f"scenario {self.seed}")  # noqa: S311 - a seed must play the same again
        scenario = Scenario(loop, random, self._kinds, self._note)
        playing = asyncio.create_task(scenario.play())
        broken = scenario.claims.broken
        await asyncio.wait((playing, broken), return_when=asyncio.FIRST_COMPLETED)
        self.digest, self.steps = scenario.claims.digest.hexdigest(), loop.steps
        if broken.done():
            raise BrokenClaimError(broken.result())
        playing.result()


class Scenario:
    """What happens in a seed.

    Attributes:
        claims: What must hold.

    """

    def __init__(self, loop: SimulatedLoop, random: Random, kinds: Sequence[str], note: Note | None) -> None:
        """Make the world.

        Args:
            loop: Whose time it is.
            random: Decides what happens.
            kinds: The kinds of faults that happen; empty leaves it to chance.
            note: Takes each line of the story, if there is to be one.

        """
        self.claims: Final = Claims(loop, PARTITIONS)
        self._loop = loop
        self._random = random
        self._note = note or _ignore
        self._broker = Broker(random, PARTITIONS, self.claims.take if note is None else self._take)
        self._group = Group(self._broker, self.claims.take_commit)
        self._instances = [
            Instance(self._broker, self._group, f"instance {number}", self.claims.take_write)
            for number in range(INSTANCES)
        ]
        every: Mapping[str, Callable[[Instance], None]] = {
            "kill": self._kill,
            "stop": self._stop,
            "pause": self._pause,
            "slow": self._slow,
            "lag": self._lag,
            "hold": self._hold,
            "damage": self._damage,
            "fill": self._fill,
            "expel": self._expel,
            "forget": self._forget,
            "compact": self._compact,
            "gap": self._gap,
            "cut": self._cut,
        }
        self._faults = {kind: every[kind] for kind in kinds or _some(random, list(every))}

    async def play(self) -> None:
        """Give commands, break what may break, and wait until all is done."""
        Process("coordinator").run(self._group.run())
        if self._random.random() < OLD_RELEASE:
            self._instances[0].old = True
            Process("upgrade").run(self._upgrade(self._instances[0]))
        for each in self._instances:
            each.start()
        commands = asyncio.create_task(self._give_commands())
        for _ in range(self._random.randint(0, MOST_FAULTS)):
            await asyncio.sleep(self._random.random() * FAULT_SECONDS)
            kind, instance = self._random.choice(tuple(self._faults)), self._random.choice(self._instances)
            self._note(f"{kind} {instance.name}")
            instance.disturbed_at = self._loop.time()
            self._faults[kind](instance)
        await commands
        self._broker.faulty = False
        deadline = self._loop.time() + QUIET_SECONDS
        while not (self._all_done() and self._all_read() and self._all_healed()):
            if self._loop.time() > deadline:
                hidden = [self.claims.hidden(number) for number in range(PARTITIONS)]
                text = f"not all is done: {self._group.offsets}, hidden since {hidden}"
                raise BrokenClaimError(text)
            await asyncio.sleep(1.0)
        self.claims.check_end([each.disk for each in self._instances])
        for log in self._broker.topic(CHANGELOG):
            for end in (log.end, self._random.randint(0, log.end)):
                self.claims.check_compacted(log, end)

    async def _give_commands(self) -> None:
        for number in range(self._random.randint(1, MOST_COMMANDS)):
            await asyncio.sleep(self._random.random() * MOST_PAUSE_SECONDS)
            kind = self._random.choice((AddNumber, AddLetter))
            at = datetime.fromtimestamp(EPOCH_SECONDS + self._loop.time(), UTC)
            command = kind(at=at, name=self._random.choice(KEYS), number=number)
            record = encode(Event(f"e{number}", at, "toy/web", "", command))
            log = self._broker.topic(record.topic)[partition_of(record.key or b"", PARTITIONS)]
            for _ in range(self._random.choice((1, 1, 1, 2))):
                log.append(record.key, record.value, record.headers)

    def _take(self, record: SimulatedRecord) -> None:
        self._note(f"{record.topic}/{record.partition}/{record.offset} {record.key!r} {_described(record)}")
        self.claims.take(record)

    # ---- Faults

    def _kill(self, instance: Instance) -> None:
        instance.kill()
        self._loop.call_later(self._random.random() * DOWN_SECONDS, partial(_restart, instance, instance.process))

    def _stop(self, instance: Instance) -> None:
        instance.stop()

    def _pause(self, instance: Instance) -> None:
        process = instance.process
        process.paused = True
        self._loop.call_later(self._random.random() * STILL_SECONDS, partial(_resume, self._loop, instance, process))

    def _slow(self, instance: Instance) -> None:
        instance.link.slow = not instance.link.slow

    def _lag(self, instance: Instance) -> None:
        instance.link.slow_reads = not instance.link.slow_reads

    def _hold(self, instance: Instance) -> None:
        instance.link.holds_next = True

    def _damage(self, instance: Instance) -> None:
        instance.disk.damaged = True

    def _fill(self, instance: Instance) -> None:
        instance.disk.full = True
        self._loop.call_later(self._random.random() * DOWN_SECONDS, partial(_empty, instance))

    def _expel(self, instance: Instance) -> None:
        instance.expel()

    def _forget(self, _instance: Instance) -> None:
        self._group.forget(with_offsets=self._random.random() < 1 / 2)

    def _compact(self, _instance: Instance) -> None:
        for log in self._broker.topic(CHANGELOG):
            log.compact(self._random.randint(0, log.end), self._compactable(log))

    def _compactable(self, log: Partition) -> int:
        """Return before when compaction looks at records, Unix time in milliseconds.

        What hides a row is written over in time, unless there is no owner for longer than the compaction lag. That is a
        day in the world and seconds here. So records that no owner had time to write over are left alone.
        """
        now = self._loop.time()
        owner_id, since = self.claims.owner(log.number)
        owner = next((each for each in self._instances if owner_id in each.owner_ids), None)
        alive_since = now if owner is None or owner.process.killed or owner.process.paused else owner.disturbed_at
        had_time = now - max(since, alive_since) > HEALED_SECONDS
        young = now - (HEALED_SECONDS if had_time else inf)
        unhealed = [at for at in self.claims.hidden(log.number) if at > (EPOCH_SECONDS + young) * 1000]
        return int(min([(EPOCH_SECONDS + now - self._broker.compaction_lag_seconds) * 1000, *unhealed]))

    def _gap(self, _instance: Instance) -> None:
        for name in (CHANGELOG, *(topic.name for topic in TABLE.reads)):
            self._random.choice(self._broker.topic(name)).skip()

    def _cut(self, _instance: Instance) -> None:
        self._broker.power_losses += 1
        # Who does not see that the log is shorter, before it is as long again, cannot know: no leader's epoch is kept.
        for each in self._instances:
            if each.process.paused:
                self._kill(each)
            each.link.slow = each.link.slow_reads = False
        log = self._random.choice(self._broker.topic(CHANGELOG))
        log.cut(self._random.randint(1, 5), self._loop.time() + CUT_SECONDS)
        self.claims.cut(log)

    async def _upgrade(self, instance: Instance) -> None:
        await asyncio.sleep(self._random.random() * MOST_COMMANDS)
        self._note(f"upgrade {instance.name}")
        instance.old = False
        self._kill(instance)

    # ---- The end

    def _all_done(self) -> bool:
        return all(
            self._group.offsets.get(TopicPartition(topic.name, log.number), 0) >= log.last_offset()
            for topic in TABLE.reads
            for log in self._broker.topic(topic.name)
        )

    def _all_healed(self) -> bool:
        return not any(self.claims.hidden(number) for number in range(PARTITIONS))

    def _all_read(self) -> bool:
        return all(_has_read(each, log) for each in self._instances for log in self._broker.topic(CHANGELOG))


def _some(random: Random, kinds: list[str]) -> list[str]:
    """Return some kinds of faults: few kinds meet each other more often than many do.

    A log that has lost its end may be as long again before a copy looks. The copy tells it by the record that it has
    read last. So nothing but the loss may remove that one.
    """
    kinds.remove("cut")
    some = random.sample(kinds, random.randint(1, len(kinds)))
    if random.random() < CUT:
        return ["cut", *(each for each in some if each not in ("gap", "compact"))]
    return some


def _described(record: SimulatedRecord) -> str:
    stamp = stamp_of(record.headers)
    by = "" if stamp is None else f" of term {stamp.term}, {stamp.owner[:4]}"
    if is_mark(record.key or b""):
        return f"{'no ' if record.value is None else ''}mark{by}"
    data = json.loads(record.value or b"{}")
    return f"{data.get('numbers', data.get('number'))}{by}"


def _ignore(_line: str) -> None:
    """There is no story to write."""


def _restart(instance: Instance, process: Process) -> None:
    if instance.process is process:
        instance.start()


def _resume(loop: SimulatedLoop, instance: Instance, process: Process) -> None:
    instance.disturbed_at = loop.time()
    process.paused = False
    loop.resume()


def _empty(instance: Instance) -> None:
    instance.disk.full = False


def _has_read(instance: Instance, log: Partition) -> bool:
    state = instance.disk.store.states.get(log.number, PartitionState())
    return log.last_offset() <= state.offset <= log.end
