"""`countersign topics acls` prints arguments for kafka-acls, with one principal per service."""

import shlex

from typer.testing import CliRunner

from cli.__main__ import app
from operations.deployment import ALL, TOPOLOGIES


def test_each_service_has_its_own_principal_and_all_topics_the_prefix() -> None:
    result = CliRunner().invoke(app, ["topics", "acls", "--topic-prefix", "x.", "--principal", "User:CN=SERVICE,O=us"])
    assert result.exit_code == 0
    lines = [shlex.split(line) for line in result.stdout.splitlines()]
    assert {line[2] for line in lines} == {f"User:CN={each.service},O=us" for each in TOPOLOGIES}
    named = {word for line in lines for option, word in zip(line[5::2], line[6::2], strict=True) if option == "--topic"}
    assert named == {f"x.{topic.name}" for topic in ALL}


def test_one_principal_for_all_services_is_rejected() -> None:
    result = CliRunner().invoke(app, ["topics", "acls", "--principal", "User:countersign"])
    assert (result.exit_code != 0, "does not contain SERVICE" in result.stderr) == (True, True)
