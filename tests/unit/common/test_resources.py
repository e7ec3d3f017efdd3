"""An instance locks its data directory."""

from pathlib import Path

import pytest

from services.common.instance.resources import DirectoryInUseError, own_directory


def test_a_directory_is_one_instances_own_until_it_ends(tmp_path: Path) -> None:
    directory = tmp_path / "data" / "login"
    with (
        own_directory(directory),
        pytest.raises(DirectoryInUseError, match="--data-directory"),
        own_directory(directory),
    ):
        pass
    with own_directory(directory):
        assert directory.is_dir()
