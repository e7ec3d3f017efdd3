"""State diagrams in texts, as Mermaid writes them, and the moves that they allow."""

import re
from typing import Final

START: Final = "[*]"
Move = tuple[str, str, str]
"""From which state, by what (a message's name, or ``time``), to which state."""


def diagrams(text: str) -> list[str]:
    """Return the state diagrams of a text."""
    return re.findall(r"```mermaid\n(stateDiagram-v2\n.*?)```", text, re.DOTALL)


def moves_of(diagram: str) -> frozenset[Move]:
    """Return the moves of a diagram."""
    lines = re.findall(r"^ +(\S+) --> (\S+): (.+)$", diagram, re.MULTILINE)
    assert len(lines) == len(diagram.splitlines()) - 1
    return frozenset((start, cause, end) for start, end, causes in lines for cause in causes.split(", "))
