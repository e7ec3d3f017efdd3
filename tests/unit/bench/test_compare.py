"""Two trees take turns, so that what disturbs one disturbs the other."""

from lab.bench.compare import take_turns
from lab.bench.passes import Pass
from tests.unit.bench.builders import a_pass


def test_trees_take_turns_at_each_number_at_a_time() -> None:
    turns: list[tuple[str, int]] = []

    def turn(tree: str, at_once: int) -> Pass:
        turns.append((tree, at_once))
        return a_pass(at_once, per_second=len(turns))

    new, old = take_turns(["new", "old"], (1, 8), 2, turn)
    assert turns == [(tree, at_once) for at_once in (1, 8) for _ in range(2) for tree in ("new", "old")]
    assert [each.per_second for each in new] == [1, 3, 5, 7]
    assert [each.per_second for each in old] == [2, 4, 6, 8]
