"""Draws the import graph in ARCHITECTURE.md: ``make imports``.

An arrow that follows from others is left out (transitive reduction), so the pictures stay small enough to read.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final

import grimp

ROOT: Final = Path(__file__).parents[2]
FILE: Final = ROOT / "ARCHITECTURE.md"
SERVICES: Final = "services"
CHARTS: Final = ("", "services.common", "services.login")
"""The packages of the pictures; the empty name is the whole project."""


def drawn(text: str) -> str:
    """Return a document's text with each picture redrawn between its two comments."""
    for whole in CHARTS:
        name = whole or "the project"
        start, end = f"<!-- what imports what in {name} -->\n", "<!-- end -->"
        before, _, rest = text.partition(start)
        text = before + start + _chart(whole) + end + rest.partition(end)[2]
    return text


def reduced(arrows: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """Return the fewest arrows from which all others follow.

    Args:
        arrows: What each package imports; without a circle.

    Raises:
        graphlib.CycleError: If there is a circle.

    """
    reached: dict[str, set[str]] = {}
    fewest: dict[str, set[str]] = {}
    for package in TopologicalSorter(arrows).static_order():
        imported = set(arrows.get(package, ()))
        beyond = set[str]().union(*(reached[each] for each in imported))
        fewest[package] = imported - beyond
        reached[package] = imported | beyond
    return fewest


def _chart(whole: str) -> str:
    arrows = reduced(_imports(whole))
    lines = [f"    {package} --> {each}" for package in sorted(arrows) for each in sorted(arrows[package])]
    return "```mermaid\nflowchart TD\n" + "\n".join(lines) + "\n```\n"


def _imports(whole: str) -> dict[str, set[str]]:
    """Return what each part of a package imports of its other parts."""
    arrows: dict[str, set[str]] = {}
    graph = _graph()
    for module in graph.modules:
        part = _part(module, whole)
        if part:
            targets = {_part(each, whole) for each in graph.find_modules_directly_imported_by(module)}
            arrows.setdefault(part, set()).update(targets - {"", part})
    return arrows


def _part(module: str, whole: str) -> str:
    """Return the part of a package that a module belongs to; empty if to none.

    Of the project these are the top-level packages and, since they stand side by side, the services.
    """
    names = module.split(".")
    if not whole:
        return "/".join(names[:2]) if names[0] == SERVICES and len(names) > 1 else names[0].replace(SERVICES, "")
    path = whole.split(".")
    return names[len(path)] if names[: len(path)] == path and len(names) > len(path) else ""


@cache
def _graph() -> grimp.ImportGraph:
    roots = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    return grimp.build_graph(*roots, cache_dir=None)


if __name__ == "__main__":
    FILE.write_text(drawn(FILE.read_text()))
