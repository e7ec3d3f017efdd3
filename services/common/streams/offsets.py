"""Which offset may be committed while records of one partition are worked on side by side."""


class OffsetTracker:
    """The records of one source partition in one assignment: taken in the log's order, done in any order.

    A committed offset is the first one that is not done. So a crash never loses a record that was open, and what comes
    again was taken after the lowest open one. Offsets may have gaps, such as transaction markers.
    """

    def __init__(self) -> None:
        self._open: dict[int, None] = {}  # in the order of the log, since that is the order of taking
        self._next: int | None = None

    def begin(self, offset: int) -> None:
        """Note where to begin: everything before is done.

        Args:
            offset: The offset of the next record.

        """
        self._next = offset

    def take(self, offset: int) -> None:
        """Note a record that work begins on.

        Args:
            offset: Its offset, above all those taken before.

        Raises:
            ValueError: If it is not.

        """
        if self._next is not None and offset < self._next:
            text = f"offset {offset} comes after {self._next - 1}"
            raise ValueError(text)
        self._open[offset] = None
        self._next = offset + 1

    def finish(self, offset: int) -> None:
        """Note that a record is done: its row counts, and Kafka has all its messages."""
        del self._open[offset]

    @property
    def committable(self) -> int | None:
        """The offset to commit: of the lowest open record, else the one after the last; None before the first one."""
        return next(iter(self._open), self._next)

    @property
    def open(self) -> int:
        """How many records are not done."""
        return len(self._open)

    @property
    def distance(self) -> int:
        """The number of offsets from the lowest open record to the last one taken; 0 if all are done."""
        return 0 if self._next is None else self._next - (self.committable or 0)
