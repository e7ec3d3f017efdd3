"""How tests decide about a mutant: quick ones first, models last and briefly, and the test that killed it is noted."""

import json
import os
from typing import Final

import pytest
from hypothesis import Phase, settings

KILLERS: Final = "killers.jsonl"
"""The file that says which test killed which mutant, in the folder of the broken code."""
_EXAMPLES: Final = 20
"""A third of what `make test` tries."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Let properties be tried with few examples, the same each time, and let none that fails be made shorter."""
    quick = settings.get_profile("quick")
    settings.register_profile(
        "mutants", quick, max_examples=_EXAMPLES, phases=(Phase.explicit, Phase.generate), database=None
    )
    settings.load_profile("mutants")


@pytest.hookimpl(trylast=True)  # the project's own order comes before
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run tests in the order in which mutmut names them, which is by the seconds that they take."""
    turns = {name: turn for turn, name in enumerate(config.args)}
    items.sort(key=lambda item: turns.get(item.nodeid, len(turns)))


def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """Note the test that killed the mutant; its parameters may be long, and say little."""
    mutant = os.environ.get("MUTANT_UNDER_TEST", "")
    if "__mutmut_" in mutant:
        with (node.config.rootpath / KILLERS).open("a", encoding="utf-8") as killers:
            killers.write(json.dumps({"mutant": mutant, "test": node.nodeid.partition("[")[0]}) + "\n")
