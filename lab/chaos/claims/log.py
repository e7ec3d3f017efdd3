"""The log agrees with itself: nothing lost, nothing decided twice, nothing without a cause."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from lab.chaos.claims.claim import Claim, Finding, claim
from lab.chaos.claims.memory import Memory, Undone, read_memory
from lab.chaos.evidence import LoggedEvent, RowVersion, RunRecords

Memories = Mapping[tuple[str, str], Memory]
"""What the rows of each key remember, by changelog and key."""


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
    yield claim("Every decision in a stale row is also in a row that counts", _kept(evidence))
    yield _remembered(memories)


def _decided(evidence: RunRecords, memories: Memories) -> Iterator[Finding]:
    readers = [(topic.name, table.changelog.name) for table in evidence.tables for topic in table.reads]
    for logged in _first(evidence).values():
        event, place = logged.event, logged.record.place
        for changelog in (changelog for topic, changelog in readers if topic == place.topic):
            key = event.data.key
            versions = evidence.versions[changelog].get(key, [])
            # A decision may be that there is no row, or none any more; then there is nothing that remembers it.
            if not versions or any(each.row is None for each in versions):
                continue
            is_known = event.id in memories[changelog, key].applied
            yield None if is_known else f"{event.data.type} {event.id} ({place}) was never decided"


def _repeated(evidence: RunRecords) -> Iterator[Finding]:
    contents: dict[tuple[str, str], set[tuple[str, bytes | None, bytes | None]]] = defaultdict(set)
    for logged in evidence.logged_events:
        event, record = logged.event, logged.record
        contents[record.place.topic, event.id].add((event.data.type, record.key, record.value))
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


def _kept(evidence: RunRecords) -> Iterator[Finding]:
    for changelog, keys in evidence.versions.items():
        for key, versions in keys.items():
            yield _kept_in(f"{changelog} {key}", versions)


def _kept_in(name: str, versions: list[RowVersion]) -> Finding:
    """Return what a stale row knows and no row that counts knows."""
    counted = {
        each.event_id for version in versions if version.newest and version.row for each in version.row.processed
    }
    known = {each.event_id for version in versions if version.row for each in version.row.processed}
    undone = known - counted
    return f"{name}: decisions on {sorted(undone)} were undone" if undone else None


def _remembered(memories: Memories) -> Claim:
    """Claim that nothing was undone for good; what was undone until the event was decided again is noted."""
    undone = [(name, each) for name, memory in memories.items() for each in memory.undone]
    return Claim(
        "Every row that counts contains the decisions of the row before it",
        sum(memory.followed for memory in memories.values()),
        tuple(_undone(*name, each) for name, each in undone if each.again is None),
        tuple(_undone(*name, each) for name, each in undone if each.again is not None),
    )


def _undone(changelog: str, key: str, undone: Undone) -> str:
    end = "for good" if undone.again is None else f"for {undone.seconds:.1f} s, until {undone.again.record.place}"
    return f"{changelog} {key}: {undone.by.record.place} undid the decision on {undone.event_id} {end}"


def _first(evidence: RunRecords) -> dict[tuple[str, str], LoggedEvent]:
    """Return each event once."""
    return {(each.record.place.topic, each.event.id): each for each in reversed(evidence.logged_events)}
