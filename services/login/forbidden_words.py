"""A deployment's own words, such as its organisation's names, that no new password may contain."""

from pathlib import Path
from typing import Final

MOST_BYTES: Final = 1024 * 1024
SHORTEST_FORBIDDEN: Final = 4
"""Shorter words and names occur in good passwords by chance."""


def read_words(path: Path) -> tuple[str, ...]:
    """Return the words of a file of UTF-8, one a line.

    Raises:
        ValueError: If it cannot be read, or a word has fewer than four letters and digits.

    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        lines = content.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = f"{path} cannot be read as lines of UTF-8"
        raise ValueError(reason) from error
    if len(content) > MOST_BYTES:
        reason = f"{path} has more than {MOST_BYTES} bytes"
        raise ValueError(reason)
    words = tuple(word for line in lines if (word := line.strip()))
    short = next((word for word in words if len(letters_and_digits(word)) < SHORTEST_FORBIDDEN), None)
    if short is not None:
        reason = f"{path} has a word with fewer than {SHORTEST_FORBIDDEN} letters and digits: {short[:20]!r}"
        raise ValueError(reason)
    return words


def require_words(path: Path) -> Path:
    """Return the path of a file of words once it has been read.

    Raises:
        ValueError: If it cannot be used; see `read_words`.

    """
    read_words(path)
    return path


def letters_and_digits(text: str) -> str:
    """Return a text without all else."""
    return "".join(each for each in text if each.isalnum())
