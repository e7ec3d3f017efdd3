"""Where mutmut can break the rules: a sample of places, which is found again after other code has changed."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, zip_longest
from random import Random
from typing import Final

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider
from mutmut.configuration import Config
from mutmut.mutation.file_mutation import Mutation, create_mutations
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.trampoline_templates import mangle_function_name
from mutmut.utils.format_utils import get_mutant_name
from pydantic import BaseModel

_LEAST_TELLING: Final = 20
"""A fragment with fewer characters is in many places, so what is around it belongs to it."""
_WHOLE: Final = (cst.BaseStatement, cst.BaseSuite, cst.MatchCase, cst.Parameters)
"""What a fragment of code never grows to."""
_SAME: Final = 2
_NEAR: Final = 1


class Place(BaseModel, frozen=True):
    """What a mutant changes, in words that outlast changes around it.

    Attributes:
        module: The module's dotted name.
        function: The function, or the class and its method with a dot between.
        operator: What mutmut did, as it calls it.
        original: The code, with no more white space than it needs.
        mutated: What became of it.
        occurrence: Which one it is of those in the function that are alike in all of the above, from 0.

    """

    module: str
    function: str
    operator: str
    original: str
    mutated: str
    occurrence: int

    @property
    def change(self) -> tuple[str, str, str]:
        """What was done, wherever."""
        return self.operator, self.original, self.mutated


def all_places() -> dict[Place, str]:
    """Return every place that mutmut can break, each with mutmut's name of the mutant."""
    config = Config.get()
    paths = (path for root in config.source_paths for path in sorted(root.rglob("*.py")) if config.should_mutate(path))
    places: dict[Place, str] = {}
    for path in paths:
        module, mutations, *_ = create_mutations(str(path), path.read_text("utf-8"))
        parents = MetadataWrapper(module, unsafe_skip_copy=True).resolve(ParentNodeProvider)
        by_function: dict[cst.FunctionDef | None, list[Mutation]] = defaultdict(list)
        for mutation in mutations:
            by_function[mutation.contained_by_top_level_function].append(mutation)
        for owner, function in _functions(module):
            name, seen = function.name.value, Counter[tuple[str, str, str]]()
            for number, mutation in enumerate(by_function[function], 1):
                change = (_operator(mutation), *_fragments(module, mutation, parents))
                known = get_mutant_name(path, f"{mangle_function_name(name=name, class_name=owner)}__mutmut_{number}")
                place = Place(
                    module=".".join(path.with_suffix("").parts).removesuffix(".__init__"),
                    function=f"{owner}.{name}" if owner else name,
                    operator=change[0],
                    original=change[1],
                    mutated=change[2],
                    occurrence=seen[change],
                )
                seen[change] += 1
                places[place] = known
    return places


def draw(places: Iterable[Place], count: int, seed: int) -> list[Place]:
    """Draw places by chance; of each operator as many as of any other, as long as it has some."""
    random = Random(seed)  # noqa: S311 - a sample, not a secret
    by_operator: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        by_operator[place.operator].append(place)
    for each in by_operator.values():
        random.shuffle(each)
    turns = chain.from_iterable(zip_longest(*(by_operator[operator] for operator in sorted(by_operator))))
    return [place for place in turns if place is not None][:count]


def find(olds: Iterable[Place], places: Iterable[Place], seed: int) -> dict[Place, Place | None]:
    """Find places again, each in one place of its own: the same change in the same function, or in one near it.

    Returns:
        The old place for each of today's. Where an old one is no more, there is one instead that was drawn by chance,
        of the same operator and near where that can be, with None.

    """
    free, lost = list(places), list(olds)
    Random(seed).shuffle(free)  # noqa: S311 - likewise
    found: dict[Place, Place | None] = {}
    for least in (_SAME, _NEAR):
        for old in list(lost):
            fits = [each for each in free if each.change == old.change and _nearness(each, old) >= least]
            if fits:
                new = max(fits, key=lambda each: (_nearness(each, old), -abs(each.occurrence - old.occurrence)))
                found[new] = old
                free.remove(new)
                lost.remove(old)
    for old in lost:
        new = max(free, key=lambda each: (each.operator == old.operator, _nearness(each, old)))
        found[new] = None
        free.remove(new)
    return found


def _nearness(new: Place, old: Place) -> int:
    """Return how near a place is to an old one: in the same function, or in the module or under the name of it."""
    return (new.module == old.module) + (new.function == old.function)


def _functions(module: cst.Module) -> Iterator[tuple[str | None, cst.FunctionDef]]:
    """Yield all functions and, each after its class's name, all methods."""
    for statement in module.body:
        if isinstance(statement, cst.FunctionDef):
            yield None, statement
        elif isinstance(statement, cst.ClassDef):
            yield from (
                (statement.name.value, each) for each in statement.body.body if isinstance(each, cst.FunctionDef)
            )


def _operator(mutation: Mutation) -> str:
    """Return the name of what mutmut did; it keeps none."""
    return next(
        operator.__name__.removeprefix("operator_")
        for kind, operator in mutation_operators
        if isinstance(mutation.original_node, kind)
        and any(mutation.mutated_node.deep_equals(each) for each in operator(mutation.original_node))
    )


def _fragments(module: cst.Module, mutation: Mutation, parents: Mapping[cst.CSTNode, cst.CSTNode]) -> tuple[str, str]:
    """Return the code before and after, with what is around it where it is short."""
    old, new = mutation.original_node, mutation.mutated_node
    if isinstance(old, cst.Match) and isinstance(new, cst.Match):  # of all its cases only the one that was dropped
        return next(_text(module, case) for case in old.cases if case not in new.cases), ""
    around: cst.CSTNode = old
    while len(_text(module, around)) < _LEAST_TELLING and not isinstance(parents[around], _WHOLE):
        around = parents[around]
    return _text(module, around), _text(module, new if around is old else around.deep_replace(old, new))


def _text(module: cst.Module, node: cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNode]) -> str:
    """Return a node's code; breaks of lines, and what the formatter adds with them, say nothing."""
    code = module.code_for_node(node) if isinstance(node, cst.CSTNode) else ""
    return re.sub(r",? ([)\]}])", r"\1", re.sub(r"([(\[{]) ", r"\1", " ".join(code.split())))
