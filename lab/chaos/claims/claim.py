"""A claim about a run, and what it was checked on."""

from collections.abc import Iterable
from dataclasses import dataclass, field

Finding = str | None
"""What was found at one thing: None if it is as it must be, else what is wrong."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and its findings.

    Attributes:
        text: What must hold.
        checked: The number of things that it was checked on.
        violations: What contradicts it.

    """

    text: str
    checked: int
    violations: tuple[str, ...] = field(default=())

    @property
    def holds(self) -> bool:
        """True if something was checked and nothing contradicts it."""
        return self.checked > 0 and not self.violations


def claim(text: str, findings: Iterable[Finding]) -> Claim:
    """Return a claim with what was found.

    Args:
        text: What must hold.
        findings: One for each thing that was checked.

    """
    found = list(findings)
    return Claim(text, len(found), tuple(each for each in found if each is not None))
