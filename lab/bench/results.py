"""What a run of the benchmark found, part by part, and all of it as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from lab.bench.floors import Floor, Floors
from lab.bench.machine import Machine
from lab.bench.passes import Pass


@dataclass(frozen=True, slots=True)
class Measured:
    """A pass beside its floor.

    Attributes:
        what: The pass.
        floor: What its parts take alone.
        hashed: Whether the password's hash was paid for.

    """

    what: Pass
    floor: Floor
    hashed: bool = False


@dataclass(frozen=True, slots=True)
class TopicCost:
    """What a login costs in a topic.

    Attributes:
        topic: The topic.
        records: Records written.
        bytes_in: Bytes written.
        bytes_out: Bytes read.
        appends: Batches written.
        fetches: Times that one of its partitions was asked for.

    """

    topic: str
    records: float
    bytes_in: float
    bytes_out: float
    appends: float
    fetches: float


@dataclass(frozen=True, slots=True)
class KafkaCost:
    """What a login costs Kafka.

    Attributes:
        at_once: How many logins at a time.
        logins: How many were counted.
        topics: By topic.
        requests: Requests by kind.

    """

    at_once: int
    logins: int
    topics: Sequence[TopicCost]
    requests: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Starts:
    """How long `make run` takes, and what a stack takes while no person acts.

    Attributes:
        first_seconds: The first start, which makes topics, keys and the demo account.
        again_seconds: A later one, which reads the accounts that the other parts need.
        kafka_seconds: Kafka and the topics alone: the floor of a start.
        idle_cpu_percent: Of a core, by process.
        resident_mebibytes: Memory by process.

    """

    first_seconds: float
    again_seconds: float
    kafka_seconds: float
    idle_cpu_percent: Mapping[str, float]
    resident_mebibytes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class IdlePhones:
    """Phones that are connected to one push instance and wait.

    Attributes:
        phones: How many.
        kibibytes_each: The push service's memory for each.
        bare_kibibytes_each: A bare aiohttp server's for each socket.
        idle_cpu_percent: The push service's CPU time while they wait, in per cent of a core.
        without_cpu_percent: The same without phones.
        asked: Each got a challenge, timed from the password's POST until the phone shows it.

    """

    phones: int
    kibibytes_each: float
    bare_kibibytes_each: float
    idle_cpu_percent: float
    without_cpu_percent: float
    asked: Pass


@dataclass(frozen=True, slots=True)
class ManyAccounts:
    """Logins beside many accounts.

    Attributes:
        accounts: How many there are, but for those of the logins with the hash.
        ready_seconds: How long `make run` took with services that had not seen the new ones.
        logins: The logins.
        resident_mebibytes: Memory by process.

    """

    accounts: int
    ready_seconds: float
    logins: Measured
    resident_mebibytes: Mapping[str, float]


@dataclass(slots=True)
class Results:
    """All of it; what was not asked for is None or empty."""

    machine: Machine
    starts: Starts | None = None
    floors: Floors | None = None
    kafka: list[KafkaCost] = field(default_factory=list)
    logins: list[Measured] = field(default_factory=list)
    loaded_mebibytes: dict[str, float] = field(default_factory=dict)
    pairings: Measured | None = None
    codes: Measured | None = None
    phones: IdlePhones | None = None
    accounts: list[ManyAccounts] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two revisions, measured in turns.

    Attributes:
        machine: Where.
        revision: The other revision; the first one is the working tree.
        passes: The passes of each tree, by its name.
        idle_cpu_percent: What each tree's processes use while nothing happens, after the passes, in per cent of a core.
        ratios: By figure and by how many sign in at a time, the working tree's median over the revision's.

    """

    machine: Machine
    revision: str
    passes: Mapping[str, Sequence[Pass]]
    idle_cpu_percent: Mapping[str, Mapping[str, float]]
    ratios: Mapping[str, Mapping[str, float]]


def to_json(found: Results | Comparison) -> str:
    """Return all of it as a JSON document."""
    return json.dumps(asdict(found), indent=1) + "\n"
