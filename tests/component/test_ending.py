"""A service's process ends even if a library left a task behind that does not."""

import subprocess
import sys
from typing import Final

from tests.polling import DEADLINE_SECONDS

LEFT_BEHIND: Final = """
import asyncio, sys
from services.common.instance import runtime
from services.common.keys.key_files import KeyFileError

async def go_on():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

tasks = []

def make():
    tasks.append(asyncio.get_running_loop().create_task(go_on()))
    asyncio.get_running_loop().call_soon(print, "runs")
    raise KeyFileError("it cannot start")

runtime.END_SECONDS = 0.2
sys.exit(runtime.run(make))
"""


def test_a_task_that_ignores_cancellation_does_not_block_the_exit() -> None:
    command = [sys.executable, "-c", LEFT_BEHIND]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert ended.returncode == 2
    assert "ended while something still ran" in ended.stdout + ended.stderr
