"""The log entry of an error."""

import json
import subprocess
import sys

PROGRAM = """
import structlog
from services.common.telemetry.logs import configure_logs

def check(password):
    raise ValueError("no such thing")

configure_logs("test", "INFO")
try:
    check("correct horse battery")
except ValueError:
    structlog.get_logger("here").exception("it failed")
"""


def test_an_error_leaves_where_it_was_and_none_of_the_variables_there() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    line = json.loads(done.stdout)
    assert line["exception"][0]["exc_value"] == "no such thing"
    assert [frame["name"] for frame in line["exception"][0]["frames"]] == ["<module>", "check"]
    assert "correct horse" not in done.stdout
