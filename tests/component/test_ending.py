"""A service's process ends when it is told to, even if a task that a library left behind does not."""

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


def test_a_task_that_takes_no_end_does_not_hold_the_process_up() -> None:
    command = [sys.executable, "-c", LEFT_BEHIND]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert ended.returncode == 2
    assert "ended while something still ran" in ended.stdout + ended.stderr
