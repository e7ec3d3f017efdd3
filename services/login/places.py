"""tmp."""


class Places:
    """tmp."""

    def __init__(self, path: object) -> None:
        """Tmp."""

    def of(self, _address: str) -> str:
        """Tmp."""
        return ""
