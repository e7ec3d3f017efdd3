"""What instances and Kafka do at the worst moment: repeat, take over, lag, crash, come late."""

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.model.machine import ModelMachine, action
from tests.model.memory_kafka import READERS, TABLES, MemoryKafka

readers: Final = st.sampled_from(sorted(READERS))
tables: Final = st.sampled_from([table.name for table in TABLES])
counts: Final = st.integers(1, 4)
orders: Final = st.lists(st.integers(0, 11), min_size=1, max_size=8)


class Repeats(ModelMachine):
    """Kafka delivers at least once."""

    @action(reader=readers, count=counts)
    def redeliver(self, reader: str, count: int) -> None:
        """Let the last records of a topic come again."""
        self.kafka.redeliver(READERS[reader], count)
        self.catch_up()

    @action(table=tables, count=counts, order=orders)
    def take_over(self, table: str, count: int, order: list[int]) -> None:
        """Let another instance go on with a table, from what the first one committed in each topic."""
        for reader in READERS.values():
            if reader.table.name == table:
                self.kafka.redeliver(reader, count)
        self.catch_up(order)

    def without_repeats(self) -> MemoryKafka:
        """Return what the same commands lead to where nothing comes again."""
        kafka = MemoryKafka(self.kafka.policies)
        for event in self.kafka.commands:
            kafka.publish(event)
            kafka.settle()
        return kafka


class Faults(Repeats):
    """Instances lag and die."""

    @precondition(lambda self: not self.lagging)
    @action()
    def fall_behind(self) -> None:
        """Let the services read nothing for a while."""
        self.lagging = True

    @precondition(lambda self: self.lagging)
    @action(order=orders)
    def resume(self, order: list[int]) -> None:
        """Let the services read all that waits, each topic at its own pace."""
        self.lagging = False
        self.catch_up(order)

    @precondition(lambda self: bool(self.kafka.waiting()))
    @action(number=st.integers(0, 11))
    def read_one(self, number: int) -> None:
        """Let one table decide one record."""
        waiting = self.kafka.waiting()
        self.kafka.step(waiting[number % len(waiting)])

    @precondition(lambda self: self.crashing is None)
    @action(number=st.integers(0, 11))
    def crash(self, number: int) -> None:
        """Let an instance die at the next record between the row and what follows; the record comes again."""
        self.crashing = number
        if self.lagging:
            self.crash_now()

    @precondition(lambda self: not self.lagging)
    @action()
    def hold_next_command(self) -> None:
        """Let the network hold the next command up for seconds; it comes after the ones that follow it."""
        self.holding = True
