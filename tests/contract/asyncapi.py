"""Writes asyncapi.yaml: `make asyncapi`."""

from pathlib import Path
from typing import Final

import yaml

from operations.asyncapi import document

FILE: Final = Path(__file__).parents[2] / "asyncapi.yaml"


def text() -> str:
    """Return the document as YAML."""
    written: str = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120)
    return written


if __name__ == "__main__":
    FILE.write_text(text())
