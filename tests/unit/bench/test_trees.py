"""A tree is driven by the modules that it has."""

from pathlib import Path

import pytest

from lab.bench.trees import ROOT, Tree, TreeError, tree_of, working_tree


def with_files(root: Path, *paths: str) -> Tree:
    """Return a tree that has these files."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return Tree("some", root, "python")


def test_the_working_tree_has_what_is_used_of_it() -> None:
    tree = working_tree()
    for module in (tree.run_module, *tree.seeding_modules):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


def test_an_older_tree_is_driven_by_its_older_modules(tmp_path: Path) -> None:
    tree = with_files(tmp_path, "deploy/run.py", "deploy/measure/seeding.py", "deploy/measure/seeds.py")
    assert tree.run_module == "deploy.run"
    assert tree.seeding_modules == ("deploy.measure.seeding", "deploy.measure.seeds")


def test_a_tree_without_any_of_them_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match=r"some has none of deploy\.local\.run, deploy\.run"):
        _ = with_files(tmp_path).run_module


def test_a_revision_that_git_does_not_know_is_refused() -> None:
    with pytest.raises(TreeError, match="git rev-parse --verify --end-of-options failed"):
        tree_of("no-such-revision")
