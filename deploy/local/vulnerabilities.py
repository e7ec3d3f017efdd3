"""Tell of known vulnerabilities in the pinned Python packages.

A vulnerability fails. That no service can be asked does not, and is said in a line: whoever builds without a network
must still be able to test.
"""

import hashlib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, BaseModel

from deploy.local.vulnerability_services import ACCEPTED, LookupFailedError, Report, ask

ROOT: Final = Path(__file__).parents[2]
LOCK_FILES: Final = (ROOT / "requirements" / "main.txt", ROOT / "requirements" / "test.txt")
MEMORY: Final = ROOT / ".run" / "audit.json"
SERVICES: Final = (("--vulnerability-service", "pypi"), ("--vulnerability-service", "osv"))
"""Whom to ask, as pip-audit's options; the next one where one cannot be reached."""
UNREACHED: Final = "SKIPPED, because no vulnerability service can be reached from here"
KEPT: Final = timedelta(days=1)
KEPT_UNREACHED: Final = timedelta(hours=1)
_MOST_NAMED: Final = 5


class _Memory(BaseModel):
    """What a look at some packages found; nothing is kept of one that failed."""

    checksum: str
    looked_at: AwareDatetime
    until: AwareDatetime
    text: str


def find_vulnerabilities(
    files: Sequence[Path], services: Sequence[Sequence[str]], memory: Path, now: datetime, *, anew: bool = False
) -> tuple[bool, str]:
    """Look for known vulnerabilities, unless the same packages were looked up lately and had none.

    Args:
        files: The lock files.
        services: Whom to ask, as options of pip-audit.
        memory: The file that keeps what was found.
        now: The time.
        anew: True to ask in any case.

    Returns:
        False if there are vulnerabilities or if the lock files cannot be read, and what to tell.

    """
    checksum = hashlib.sha256(repr([*ACCEPTED, *(path.read_bytes() for path in files)]).encode()).hexdigest()
    last = _recall(memory)
    if last is not None and not anew and last.checksum == checksum and last.looked_at <= now < last.until:
        return True, f"{last.text} (looked up at {last.looked_at.astimezone():%H:%M})"
    try:
        report = next((found for each in services if (found := ask(files, each)) is not None), None)
    except LookupFailedError as error:
        return False, str(error)
    if report is not None and report.vulnerabilities:
        return False, "\n  ".join([f"known vulnerabilities: {len(report.vulnerabilities)}", *report.vulnerabilities])
    text, kept = (UNREACHED, KEPT_UNREACHED) if report is None else (_good_news(report), KEPT)
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(_Memory(checksum=checksum, looked_at=now, until=now + kept, text=text).model_dump_json())
    return True, text


def _good_news(report: Report) -> str:
    text = f"no known vulnerabilities in {report.known} packages"
    if not report.unknown:
        return text
    named = ", ".join(report.unknown[:_MOST_NAMED])
    return f"{text}; not known to the service: {len(report.unknown)}, such as {named}"


def _recall(memory: Path) -> _Memory | None:
    try:
        return _Memory.model_validate_json(memory.read_text())
    except (OSError, ValueError):
        return None


def main(arguments: Sequence[str]) -> int:
    """Audit the project's lock files; ``--anew`` asks again in any case."""
    fine, text = find_vulnerabilities(LOCK_FILES, SERVICES, MEMORY, datetime.now(UTC), anew="--anew" in arguments)
    print(f"pip-audit: {text}", file=sys.stdout if fine else sys.stderr)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
