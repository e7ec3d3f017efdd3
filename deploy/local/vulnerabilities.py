"""Looks up known vulnerabilities of the pinned Python packages with pip-audit.

A vulnerability fails the run. If no vulnerability service can be reached, the run prints a line and passes, so that
tests work without a network.
"""

import hashlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, BaseModel, ValidationError

ACCEPTED: Final[Mapping[str, str]] = {}
"""Vulnerabilities without effect here, by id, each with the reason. Ideally empty."""
ANSWER_SECONDS: Final = 10
TIMEOUT_SECONDS: Final = 300
_OPTIONS: Final = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
_UNREACHED: Final = ("requests.exceptions.", "ServiceError", "ConnectionError", "your network may be blocking")
"""Parts of pip-audit's output if its service does not respond, or responds with other content."""
ROOT: Final = Path(__file__).parents[2]
LOCK_FILES: Final = (ROOT / "requirements" / "main.txt", ROOT / "requirements" / "test.txt")
MEMORY: Final = ROOT / ".run" / "audit.json"
SERVICES: Final = (("--vulnerability-service", "pypi"), ("--vulnerability-service", "osv"))
"""The services, as pip-audit's options; a later one is the fallback of the earlier one."""
UNREACHED: Final = "SKIPPED, because no vulnerability service can be reached from here"
KEPT: Final = timedelta(days=1)
KEPT_UNREACHED: Final = timedelta(hours=1)
_MOST_NAMED: Final = 5


class _Vulnerability(BaseModel):
    id: str
    fix_versions: list[str]


class _Dependency(BaseModel):
    name: str
    version: str = ""
    skip_reason: str | None = None
    vulns: list[_Vulnerability] = []


class Report(BaseModel):
    """The JSON report of pip-audit."""

    dependencies: list[_Dependency]

    @property
    def unknown(self) -> list[str]:
        """The packages that the service does not know."""
        return [each.name for each in self.dependencies if each.skip_reason is not None]

    @property
    def known(self) -> int:
        """The number of known packages."""
        return len(self.dependencies) - len(self.unknown)

    @property
    def vulnerabilities(self) -> list[str]:
        """A line for each vulnerability."""
        return [
            f"{each.name} {each.version}: {found.id}, fixed in {' or '.join(found.fix_versions) or 'no version yet'}"
            for each in self.dependencies
            for found in each.vulns
        ]


class LookupFailedError(Exception):
    """pip-audit failed for another reason than its service. The text is its output."""


class _Memory(BaseModel):
    """The cached result of a successful lookup."""

    checksum: str
    looked_at: AwareDatetime
    until: AwareDatetime
    text: str


def find_vulnerabilities(
    files: Sequence[Path], services: Sequence[Sequence[str]], memory: Path, now: datetime, *, refresh: bool = False
) -> tuple[bool, str]:
    """Look up known vulnerabilities, unless the cache has a recent result for the same packages.

    Args:
        files: The lock files.
        services: The services, as options of pip-audit.
        memory: The cache file.
        now: The current time.
        refresh: True to ignore the cache.

    Returns:
        Whether the run passes, and the text to print. It fails on a vulnerability or an unreadable lock file.

    """
    checksum = hashlib.sha256(repr([*ACCEPTED, *(path.read_bytes() for path in files)]).encode()).hexdigest()
    last = _recall(memory)
    if last is not None and not refresh and last.checksum == checksum and last.looked_at <= now < last.until:
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


def ask(files: Sequence[Path], service: Sequence[str]) -> Report | None:
    """Query one service about all packages of lock files.

    Args:
        files: The lock files.
        service: The service, as options of pip-audit.

    Returns:
        The report; None if the service cannot be reached, or knows none of the packages, like some mirrors.

    Raises:
        LookupFailedError: If a lock file cannot be read.

    """
    accepted = [word for each in ACCEPTED for word in ("--ignore-vuln", each)]
    named = [word for path in files for word in ("--requirement", str(path))]
    command = [sys.executable, "-m", "pip_audit", *_OPTIONS, "--timeout", str(ANSWER_SECONDS), *service]
    try:
        ran = subprocess.run(
            [*command, *accepted, *named], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
        report = Report.model_validate_json(ran.stdout)
    except subprocess.TimeoutExpired:
        return None
    except ValidationError:
        if any(sign in ran.stderr for sign in _UNREACHED):
            return None
        raise LookupFailedError(ran.stderr.strip()) from None
    return report if report.known else None


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
    """Audit the project's lock files; ``--refresh`` ignores the cache."""
    fine, text = find_vulnerabilities(LOCK_FILES, SERVICES, MEMORY, datetime.now(UTC), refresh="--refresh" in arguments)
    print(f"pip-audit: {text}", file=sys.stdout if fine else sys.stderr)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
