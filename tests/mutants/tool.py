"""mutmut, made to break the methods of dataclasses too: by itself it passes over each decorated class, so most rows."""

from typing import Final

import libcst as cst
from libcst import matchers
from mutmut.__main__ import cli
from mutmut.mutation.file_mutation import MutationVisitor

_DATACLASS: Final = matchers.Decorator(matchers.Call(func=matchers.Name("dataclass")))
_PASSES_OVER: Final = MutationVisitor._skip_node_and_children  # noqa: SLF001 - mutmut has no option for it


def break_dataclasses() -> None:
    """Have mutmut take a dataclass for a class without decorators. Properties stay as they are."""
    MutationVisitor._skip_node_and_children = _passes_over  # type: ignore[method-assign, assignment]  # noqa: SLF001 - likewise


def _passes_over(visitor: MutationVisitor, node: cst.CSTNode) -> bool:
    if isinstance(node, cst.ClassDef) and all(matchers.matches(each, _DATACLASS) for each in node.decorators):
        node = node.with_changes(decorators=())
    return _PASSES_OVER(visitor, node)


if __name__ == "__main__":
    break_dataclasses()
    cli()
