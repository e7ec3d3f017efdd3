"""Ask a vulnerability service about pinned Python packages, by pip-audit."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

ACCEPTED: Final[Mapping[str, str]] = {}
"""Vulnerabilities that do no harm here, by their id, each with the reason. Empty is how it should be."""
ANSWER_SECONDS: Final = 10
TIMEOUT_SECONDS: Final = 300
_OPTIONS: Final = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
_UNREACHED: Final = ("requests.exceptions.", "ServiceError", "ConnectionError", "your network may be blocking")
"""What it says when its service does not answer, or with something else than what was asked for."""


class _Vulnerability(BaseModel):
    id: str
    fix_versions: list[str]


class _Dependency(BaseModel):
    name: str
    version: str = ""
    skip_reason: str | None = None
    vulns: list[_Vulnerability] = []


class Report(BaseModel):
    """What pip-audit found, in its JSON format."""

    dependencies: list[_Dependency]

    @property
    def unknown(self) -> list[str]:
        """The packages of which the service knows nothing."""
        return [each.name for each in self.dependencies if each.skip_reason is not None]

    @property
    def known(self) -> int:
        """How many packages were looked up."""
        return len(self.dependencies) - len(self.unknown)

    @property
    def vulnerabilities(self) -> list[str]:
        """A line for each vulnerability."""
        return [
            f"{each.name} {each.version}: {found.id}, fixed in {' or '.join(found.fix_versions) or 'no version yet'}"
            for each in self.dependencies
            for found in each.vulns
        ]


class AuditError(Exception):
    """pip-audit failed for another reason than its service; its text is what it said."""


def ask(files: Sequence[Path], service: Sequence[str]) -> Report | None:
    """Ask one service about all packages of lock files.

    Args:
        files: The lock files.
        service: Whom to ask, as options of pip-audit.

    Returns:
        What it knows; None if it cannot be reached, or if it knows none of the packages, as the mirror of an index may.

    Raises:
        AuditError: If a lock file cannot be read.

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
        raise AuditError(ran.stderr.strip()) from None
    return report if report.known else None
