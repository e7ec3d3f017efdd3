"""Measures the working tree, part by part, on one stack."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from argon2 import PasswordHasher

from lab.bench.bare_server import BareServer
from lab.bench.broker_counters import APPENDS, BYTES_IN, BYTES_OUT, FETCHES, RECORDS, Counters
from lab.bench.client.driving import Job
from lab.bench.client.floors import IdleSockets
from lab.bench.client.people import CodeLogins, Pairings, PhonesThatWait, PushLogins
from lab.bench.client.site import Site
from lab.bench.deployment import Deployment, People
from lab.bench.floors import TOPIC, Counts, Floors, Kafka, measure_floors
from lab.bench.machine import this_machine
from lab.bench.passes import Pass, PassRunner, Times, share
from lab.bench.results import IdlePhones, KafkaCost, ManyAccounts, Measured, Results, Starts, TopicCost
from lab.load.processes import resident_bytes
from services.common.progress import Progress
from services.login.sign_in.passwords import hash_password

LEAST_PEOPLE: Final = 40
"""So many people sign in by turns at least, since an account takes so many challenges a second."""
WARM_UP_AT_ONCE: Final = 32
USUAL_AT_ONCE: Final = 8
PAIRINGS_PER_SECOND: Final = 60
"""More than there can be, and so the number of accounts that wait to be paired."""
CODES_PER_SECOND: Final = 50
ASKED_PER_SECOND: Final = 2
"""The least rate at which waiting phones are asked, after which the pass is given up."""
PASSWORD: Final = "correct horse battery staple"  # noqa: S105 - the accounts last as long as the run
_MEBIBYTE: Final = 1024 * 1024
_KIBIBYTE: Final = 1024


class Part(StrEnum):
    """A part of the benchmark."""

    STARTS = "starts"
    LOGINS = "logins"
    PAIRINGS = "pairings"
    CODES = "codes"
    PHONES = "phones"
    ACCOUNTS = "accounts"


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured.

    Attributes:
        times: How long each pass is.
        at: How many sign in at a time, in turn.
        parts: The parts.
        phones: How many phones wait.
        accounts: How many accounts there are, in turn.
        idle_seconds: How long a look at what is idle is.
        warm_up_seconds: How long people sign in after each start before anything counts.

    """

    times: Times
    at: Sequence[int] = (1, 8, 32, 128)
    parts: Sequence[Part] = tuple(Part)
    phones: int = 1000
    accounts: Sequence[int] = (1000, 100_000)
    idle_seconds: float = 20.0
    warm_up_seconds: float = 15.0

    @property
    def usual_at_once(self) -> int:
        """How many pair, enter codes or sign in at a time where only one number is tried."""
        return USUAL_AT_ONCE if USUAL_AT_ONCE in self.at else max(self.at)

    @property
    def most_people(self) -> int:
        """How many people it takes who sign in by turns."""
        return people_for(max(*self.at, WARM_UP_AT_ONCE))

    @property
    def pass_seconds(self) -> float:
        """How long a pass is with its warm-up."""
        return self.times.warm + self.times.counted


def people_for(at_once: int) -> int:
    """Return how many people sign in by turns, if so many do at a time."""
    return max(LEAST_PEOPLE, 2 * at_once)


def quick_people() -> People:
    """Return people whose hash costs nothing: its parameters, which stand in it, are Argon2's least."""
    return People("quick-", PASSWORD, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD))


def hashed_people() -> People:
    """Return people whose hash is as the product makes it."""
    return People("hashed-", PASSWORD, hash_password(PASSWORD))


def push_logins(  # noqa: PLR0913, PLR0917 - who, where, how many, how long
    runner: PassRunner, deployment: Deployment, people: People, at_once: int, times: Times, title: str
) -> Pass:
    """Have people sign in by push, so many at a time."""
    site, parts = deployment.site(people), runner.split(at_once)
    shares = share(range(people_for(at_once)), len(parts))
    jobs = [PushLogins(site, those, each) for those, each in zip(shares, parts, strict=True)]
    return runner.run(title, at_once, runner.prepare(title, jobs), deployment.pids(), times)


@dataclass(slots=True)
class Benchmark:
    """One run.

    Attributes:
        options: What is measured.
        deployment: The stack, which this starts and stops.
        runner: Has clients do something.
        server: The bare server.
        results: What was found so far.

    """

    options: Options
    deployment: Deployment
    runner: PassRunner
    server: BareServer
    results: Results = field(default_factory=lambda: Results(this_machine()))
    _quick: People = field(default_factory=quick_people)
    _hashed: People = field(default_factory=hashed_people)
    _counts: Counts = field(default_factory=lambda: Counts(0, 0))

    def run(self) -> Results:
        """Measure.

        Raises:
            ClientError: If a client failed as a whole; single logins that fail are in the passes' errors.
            DeploymentError: If the stack does not start or cannot be seeded.

        """
        parts = self.options.parts
        first = self._measure_first_start() if Part.STARTS in parts else None
        kafka_seconds = self._seed(self._accounts)
        again_seconds = self._start("Start with people", counted=True)
        if first is not None:
            self.results.starts = Starts(first[0], again_seconds, kafka_seconds, *first[1:])
        self._warm_up()
        # Before all else, since the memory of a service that was just started is the phones'.
        if Part.PHONES in parts:
            self.results.phones = self._measure_phones()
        self._measure_floors()
        if Part.LOGINS in parts:
            self._measure_logins()
        if Part.PAIRINGS in parts:
            self.results.pairings = self._measure_pairings()
        if Part.CODES in parts:
            self.results.codes = self._measure_codes()
        if Part.ACCOUNTS in parts:
            self._measure_accounts()
        self.deployment.stop()
        return self.results

    @property
    def _waiting_people(self) -> range:
        """Those whose phones wait, after those who sign in by turns: their challenges stay without an answer."""
        first = self.options.most_people
        return range(first, first + (self.options.phones if Part.PHONES in self.options.parts else 0))

    @property
    def _pairing_people(self) -> range:
        """Those who have no phone, after those who have one."""
        first = self._waiting_people.stop
        return range(first, first + int(PAIRINGS_PER_SECOND * self.options.pass_seconds))

    @property
    def _code_people(self) -> range:
        first = self._pairing_people.stop
        return range(first, first + int(CODES_PER_SECOND * self.options.pass_seconds / 2))

    @property
    def _accounts(self) -> int:
        return self._code_people.stop

    def _start(self, title: str, *, counted: bool = False) -> float:
        self.runner.show(title, Progress(0, 1))
        seconds = self.deployment.start(counted=counted)
        self.deployment.await_steady()
        return seconds

    def _seed(self, accounts: int) -> float:
        """Make people while Kafka runs alone; return how long that took to start."""
        self.runner.show("Kafka alone", Progress(0, 1))
        seconds = self.deployment.start(services=False)
        self._seed_people(self._quick, accounts, self._pairing_people.start)
        if Part.LOGINS in self.options.parts and not self.results.logins:
            self._seed_people(self._hashed, self.options.most_people, self.options.most_people)
        self.deployment.stop()
        return seconds

    def _seed_people(self, people: People, accounts: int, phones: int) -> None:
        title = f"Accounts {people.prefix}*"
        self.deployment.seed(people, accounts, phones, self._show_made(title, accounts))

    def _show_made(self, title: str, count: int) -> Callable[[int], None]:
        self.runner.show(title, Progress(0, count))
        return lambda made: self.runner.show(title, Progress(made, count))

    def _warm_up(self) -> None:
        self._logins("Warm-up", WARM_UP_AT_ONCE, Times(0, self.options.warm_up_seconds))

    def _logins(self, title: str, at_once: int, times: Times, people: People | None = None) -> Pass:
        return push_logins(self.runner, self.deployment, people or self._quick, at_once, times, title)

    def _measure_first_start(self) -> tuple[float, dict[str, float], dict[str, float]]:
        """Return its seconds, and then the CPU time (% of a core) and the memory (MiB) of each process while idle."""
        seconds = self._start("First start")
        idle = self._idle_percent("Idle"), self._resident_mebibytes()
        self.deployment.stop()
        return seconds, *idle

    def _idle_percent(self, title: str) -> dict[str, float]:
        self.runner.show(title, Progress(0, 1))
        return self.deployment.idle_percent(self.options.idle_seconds)

    def _resident_mebibytes(self) -> dict[str, float]:
        return {name: size / _MEBIBYTE for name, size in self.deployment.resident_bytes().items()}

    def _measure_floors(self) -> None:
        """Count what a login consists of, and measure what that takes alone."""
        options = self.options
        for at_once in sorted({min(options.at), max(each for each in options.at if each <= WARM_UP_AT_ONCE)}):
            before = self.deployment.counters()
            whole = self._logins(f"Counted logins, {at_once} at a time", at_once, Times(0, options.times.counted))
            self.results.kafka.append(kafka_cost(at_once, whole.everything, self.deployment.counters().since(before)))
            if len(self.results.kafka) == 1:
                self._counts = Counts(self.results.kafka[0].requests.get("Produce", 0.0), whole.requests)
        written = [(each.records, each.bytes_in) for each in self.results.kafka[0].topics]
        size = int(sum(size for _, size in written) / max(1e-9, sum(records for records, _ in written)))
        kafka = Kafka(self.deployment.bootstrap, self.deployment.pids()["kafka"], size)
        self.results.floors = measure_floors(self.runner, kafka, self.server, options.times, options.at)

    @property
    def _floors(self) -> Floors:
        if self.results.floors is None:
            raise AssertionError
        return self.results.floors

    def _measure_logins(self) -> None:
        for people in (self._quick, self._hashed):
            hashed = people is self._hashed
            for at_once in self.options.at:
                title = f"Logins with{'' if hashed else 'out'} the hash, {at_once} at a time"
                found = self._logins(title, at_once, self.options.times, people)
                self.results.logins.append(self._beside_floor(found, hashed=hashed))
        self.results.loaded_mebibytes = self._resident_mebibytes()

    def _beside_floor(self, found: Pass, *, hashed: bool = False) -> Measured:
        counts = Counts(self._counts.trips, found.requests, hashes=int(hashed))
        return Measured(found, self._floors.floor(found.at_once, counts), hashed=hashed)

    def _measure_pairings(self) -> Measured:
        return self._counted("Pairings", self._pairing_people, Pairings)

    def _measure_codes(self) -> Measured:
        return self._counted("Logins by code", self._code_people, CodeLogins)

    def _counted(self, title: str, people: range, job: Callable[[Site, range, int], Job]) -> Measured:
        """Run a pass beside the floor of what it was counted to consist of."""
        at_once = self.options.usual_at_once
        site, parts = self.deployment.site(self._quick), self.runner.split(at_once)
        jobs = [job(site, those, each) for those, each in zip(share(people, len(parts)), parts, strict=True)]
        busy = self.runner.prepare(title, jobs)
        before = self.deployment.counters()
        found = self.runner.run(title, at_once, busy, self.deployment.pids(), self.options.times)
        counted = self.deployment.counters().since(before)
        counts = Counts(counted.requests["Produce"] / max(1, found.everything), found.requests)
        return Measured(found, self._floors.floor(at_once, counts))

    def _measure_phones(self) -> IdlePhones:
        """Have phones wait, and ask each of them."""
        count, at_once = self.options.phones, self.options.usual_at_once
        without = self._idle_percent("Idle without phones")["push"]
        before = self.deployment.resident_bytes()["push"]
        parts = self.runner.split(at_once)
        people = share(self._waiting_people, len(parts))
        site = self.deployment.site(self._quick)
        jobs = [PhonesThatWait(site, those, each) for those, each in zip(people, parts, strict=False)]
        busy = self.runner.prepare(f"{count} phones connect", jobs)
        idle = self._idle_percent(f"{count} phones wait")["push"]
        grown = self.deployment.resident_bytes()["push"] - before
        times = Times(0, count / ASKED_PER_SECOND)
        asked = self.runner.run("Each phone is asked", at_once, busy, self.deployment.pids(), times)
        bare = self._bare_socket_bytes(count)
        return IdlePhones(count, grown / count / _KIBIBYTE, bare / _KIBIBYTE, idle, without, asked)

    def _bare_socket_bytes(self, count: int) -> float:
        parts = self.runner.split(count)
        before, title = resident_bytes(self.server.pid), "Floor: idle sockets"
        busy = self.runner.prepare(title, [IdleSockets(self.server.socket_url, each) for each in parts])
        grown = resident_bytes(self.server.pid) - before
        self.runner.run(title, 1, busy, {}, Times(0, 0))
        return grown / count

    def _measure_accounts(self) -> None:
        for wanted in self.options.accounts:
            accounts = max(wanted, self._accounts)
            self.deployment.stop()
            if accounts > self._accounts:
                self._seed(accounts)
            seconds = self._start(f"Start with {accounts} accounts")
            self._warm_up()
            title = f"Logins beside {accounts} accounts"
            found = self._logins(title, self.options.usual_at_once, self.options.times)
            beside = self._beside_floor(found)
            self.results.accounts.append(ManyAccounts(accounts, seconds, beside, self._resident_mebibytes()))


def kafka_cost(at_once: int, logins: int, counted: Counters) -> KafkaCost:
    """Return what a login costs Kafka, by topic and by kind of request.

    Args:
        at_once: How many logins at a time.
        logins: How many there were.
        counted: What Kafka counted meanwhile.

    """
    most = max(1, logins)
    topics = sorted({topic for topic, _ in counted.topics} - {TOPIC})
    costs = [
        TopicCost(
            topic, *(counted.topics[topic, name] / most for name in (RECORDS, BYTES_IN, BYTES_OUT, APPENDS, FETCHES))
        )
        for topic in topics
    ]
    requests = {kind: count / most for kind, count in sorted(counted.requests.items())}
    return KafkaCost(at_once, logins, [each for each in costs if each.records or each.bytes_out], requests)
