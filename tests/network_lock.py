"""A lock between tests in a browser and tests that change the machine's networks.

Chromium drops its connections with ERR_NETWORK_CHANGED when a network interface appears or disappears, as Docker's do.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock
from pathlib import Path
from tempfile import gettempdir
from typing import Final

LOCK: Final = Path(gettempdir()) / f"countersign-tests-network-{os.getuid()}"


@contextmanager
def network_lock(path: Path = LOCK, *, exclusive: bool = False) -> Iterator[None]:
    """Hold the lock: shared while the networks must not change, exclusive while they change.

    Processes acquire it one after the other, so new browsers do not starve a test that waits for it.
    """
    with path.with_suffix(".queue").open("w") as queue, path.open("w") as lock:
        flock(queue, LOCK_EX)
        flock(lock, LOCK_EX if exclusive else LOCK_SH)
        flock(queue, LOCK_UN)
        yield
