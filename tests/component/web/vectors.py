"""docs/protocol-vectors.json for the tests of the app's modules."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

VECTORS: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "docs" / "protocol-vectors.json").read_text(encoding="utf-8")
)
NOW: Final = datetime.fromtimestamp(VECTORS["now"], UTC)
DEVICE: Final[str] = VECTORS["keys"]["device"]["thumbprint"]
ISSUER: Final[str] = VECTORS["keys"]["issuer"]["thumbprint"]
