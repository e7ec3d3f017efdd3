"""`countersign topics acls` prints arguments for kafka-acls, with one principal per role."""

import json
import shlex
from itertools import pairwise

from typer.testing import CliRunner

from cli.__main__ import app
from operations.deployment import ALL, TOPOLOGIES


def test_each_role_has_its_own_principal_and_all_topics_the_prefix() -> None:
    result = CliRunner().invoke(app, ["topics", "acls", "--topic-prefix", "x.", "--principal", "User:CN=ROLE,O=us"])
    assert result.exit_code == 0
    lines = [shlex.split(line) for line in result.stdout.splitlines()]
    roles = {*(each.service for each in TOPOLOGIES), "operator", "audit"}
    assert {line[2] for line in lines} == {f"User:CN={role},O=us" for role in roles}
    named = {word for line in lines for option, word in pairwise(line) if option == "--topic"}
    assert named == {f"x.{topic.name}" for topic in ALL}


def test_one_principal_for_all_is_rejected() -> None:
    result = CliRunner().invoke(app, ["topics", "acls", "--principal", "User:countersign"])
    assert (result.exit_code != 0, "does not contain ROLE" in result.stderr) == (True, True)


def test_the_same_rules_are_printed_as_json() -> None:
    lines = CliRunner().invoke(app, ["topics", "acls"]).stdout.splitlines()
    rules = json.loads(CliRunner().invoke(app, ["topics", "acls", "--json"]).stdout)
    assert len(rules) == len(lines)
    assert {
        "principal": "User:login",
        "operation": "Read",
        "resource": "group",
        "names": ["login", "login-emails"],
    } in rules
