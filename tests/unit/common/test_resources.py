"""An instance locks its data directory."""

from pathlib import Path

import pytest

from services.common.instance.resources import DirectoryInUseError, open_secrets, own_directory


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


def test_secrets_that_other_users_can_read_are_named(tmp_path: Path) -> None:
    secrets, elsewhere = tmp_path / "secrets", tmp_path / "password"
    secrets.mkdir(mode=0o755)
    for path, mode in ((secrets / "open.key", 0o644), (secrets / "closed.key", 0o600), (elsewhere, 0o640)):
        path.touch()
        path.chmod(mode)
    assert open_secrets([secrets, secrets], [elsewhere]) == [secrets, secrets / "open.key", elsewhere]
    secrets.chmod(0o700)
    elsewhere.chmod(0o600)
    assert open_secrets([secrets, tmp_path / "missing"], [elsewhere]) == []
