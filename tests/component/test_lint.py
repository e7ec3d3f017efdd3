"""`make lint` finds what bandit would: ruff's S rules are on for every part of the project."""

import json
import subprocess
import sys

import pytest

DANGEROUS = """
import hashlib
import pickle
import subprocess

hashlib.md5(b"")
pickle.loads(b"")
subprocess.run("ls *", shell=True)
eval("1")
"""


@pytest.mark.parametrize("folder", ["schemas", "protocol", "services", "authenticator", "cli", "deploy", "tests"])
def test_what_is_dangerous_is_found_everywhere(folder: str) -> None:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--output-format",
        "json",
        "--stdin-filename",
        f"{folder}/x.py",
        "-",
    ]
    ran = subprocess.run(command, input=DANGEROUS, capture_output=True, text=True, timeout=60, check=False)
    found = {each["code"] for each in json.loads(ran.stdout)}
    assert {"S301", "S307", "S324", "S602"} <= found
