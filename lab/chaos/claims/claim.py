"""A claim, and how it is found to hold or not."""

from collections.abc import Iterable
from dataclasses import dataclass, field

Finding = str | None
"""What one thing that was looked at says: None if it is as it must be, else what is wrong."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What must hold.

    Attributes:
        text: In words.
        checked: On how many things it was checked.
        violations: What contradicts it.
        notes: What does not, and is worth knowing.

    """

    text: str
    checked: int
    violations: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())

    @property
    def holds(self) -> bool:
        """True if something was checked and nothing contradicts it."""
        return self.checked > 0 and not self.violations


def claim(text: str, findings: Iterable[Finding]) -> Claim:
    """Return a claim with what was found.

    Args:
        text: What must hold.
        findings: One for each thing that was looked at.

    """
    found = list(findings)
    return Claim(text, len(found), tuple(each for each in found if each is not None))
