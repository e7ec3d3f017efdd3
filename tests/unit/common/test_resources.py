"""An instance locks its data directory, and notices when open files run out."""

import os
import resource
from pathlib import Path

import pytest

from services.common.instance.resources import DirectoryInUseError, open_files_run_out, open_secrets, own_directory


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


def test_nearly_all_open_files_are_noticed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/dev/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 200, hard))
    taken: list[int] = []
    try:
        assert not open_files_run_out()
        taken.extend(os.dup(0) for _ in range(190))
        assert open_files_run_out()
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


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
