"""The log agrees with itself: nothing lost, nothing decided twice, nothing without a cause."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from lab.chaos.claims.claim import Claim, Finding, claim
from lab.chaos.claims.memory import Memory, read_memory
from lab.chaos.evidence import LoggedEvent, RunRecords
from operations.audit.bound_table import BoundTable
from schemas.contract import AuthResponse

Memories = Mapping[tuple[str, str], Memory]
"""What the rows of each key that count remember, by changelog and key."""


def check(evidence: RunRecords) -> Iterator[Claim]:
    """Check the log against itself."""
    memories = {
        (changelog, key): read_memory(versions)
        for changelog, keys in evidence.versions.items()
        for key, versions in keys.items()
    }
    yield claim("Every event was decided by its key's owner", _decided(evidence, memories))
    yield claim("Every repeat of an event is identical to the first", _repeated(evidence))
    yield claim("Every event has one outcome", _outcomes(evidence))
    yield claim("Every published event has its cause in the log", _caused(evidence))
    yield claim("Every message has a decision that counts", _told(evidence, memories))
    yield claim("Every decision in a void row is also in a row that counts", _kept(evidence, memories))
    yield Claim(
        "Every row that counts contains the decisions of the row before it",
        sum(memory.followed for memory in memories.values()),
        tuple(f"{changelog} {key}: {what}" for (changelog, key), each in memories.items() for what in each.undone),
    )


def _decided(evidence: RunRecords, memories: Memories) -> Iterator[Finding]:
    readers = [(topic.name, table.changelog.name) for table in evidence.tables for topic in table.reads]
    first = _first(evidence)
    offsets: dict[str, dict[str, int]] = defaultdict(dict)
    for (topic, event_id), logged in first.items():
        offsets[topic][event_id] = logged.record.place.offset
    for logged in first.values():
        event, place = logged.event, logged.record.place
        for changelog in (changelog for topic, changelog in readers if topic == place.topic):
            memory = memories.get((changelog, event.data.key))
            if memory is None or _may_lack_row(memory):
                continue
            known = event.id in memory.applied or memory.is_outdated(
                place.topic, event.time, place.offset, offsets[place.topic]
            )
            yield None if known else f"{event.data.type} {event.id} ({place}) was never decided"


def _may_lack_row(memory: Memory) -> bool:
    """Return whether a decision may be that there is no row, or none any more: nothing remembers it then."""
    return not memory.rows or None in memory.rows


def _repeated(evidence: RunRecords) -> Iterator[Finding]:
    contents: dict[tuple[str, str], set[tuple[str, bytes | None, str | bytes | None]]] = defaultdict(set)
    for logged in evidence.logged_events:
        event, record = logged.event, logged.record
        # A device signs its answer anew each time.
        is_signed_anew = isinstance(event.data, AuthResponse)
        value = event.data.model_dump_json(exclude={"answer", "answered_at"}) if is_signed_anew else record.value
        contents[record.place.topic, event.id].add((event.data.type, record.key, value))
    for (topic, event_id), different in contents.items():
        yield None if len(different) == 1 else f"{topic} {event_id} is there in {len(different)} versions"


def _outcomes(evidence: RunRecords) -> Iterator[Finding]:
    for changelog, events in evidence.outcomes.items():
        for event_id, found in events.items():
            yield None if len(found) == 1 else f"{changelog}: {event_id} ended as {sorted(found)}"


def _caused(evidence: RunRecords) -> Iterator[Finding]:
    known = {logged.event.id for logged in evidence.logged_events}
    for logged in _first(evidence).values():
        event = logged.event
        cause, dot, _ = event.id.rpartition(".")
        if event.source.endswith("/web"):
            yield None if not dot else f"{event.data.type} {event.id}: a command with the id of a decision"
        else:
            yield None if cause in known else f"{event.data.type} {event.id} follows from nothing"


def _told(evidence: RunRecords, memories: Memories) -> Iterator[Finding]:
    """Check that the row which led to a message counts, wherever there is one."""
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    first = _first(evidence)
    for (topic, event_id), logged in first.items():
        for changelog in (table.changelog.name for table in evidence.tables if topic in _names(table)):
            keys[changelog, event_id].add(logged.event.data.key)
    changelogs = {table.source: table.changelog.name for table in evidence.tables}
    for logged in first.values():
        event = logged.event
        own, cause = changelogs.get(event.source), event.id.rpartition(".")[0]
        for key in keys[own, cause] if own is not None else ():
            memory = memories.get((own or "", key))
            if memory is not None and not _may_lack_row(memory):
                counts = cause in memory.applied
                yield None if counts else f"{event.data.type} {event.id} tells of a decision that no row has"


def _names(table: BoundTable) -> set[str]:
    return {topic.name for topic in table.reads}


def _kept(evidence: RunRecords, memories: Memories) -> Iterator[Finding]:
    for changelog, keys in evidence.versions.items():
        for key, versions in keys.items():
            void = (version.row for version in versions if not version.counts and version.row is not None)
            lost = {each.event_id for row in void for each in row.processed} - memories[changelog, key].applied
            yield f"{changelog} {key}: the decisions on {sorted(lost)} were lost" if lost else None


def _first(evidence: RunRecords) -> dict[tuple[str, str], LoggedEvent]:
    """Return each event once."""
    return {(each.record.place.topic, each.event.id): each for each in reversed(evidence.logged_events)}
