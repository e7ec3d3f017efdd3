"""`countersign kafka` has a class of Kafka's behind each name, and says what it has."""

import zipfile

from typer.testing import CliRunner

from cli.__main__ import app
from cli.kafka import TOOLS
from operations.kafka_tools import JARS


def test_each_tool_is_in_the_jars() -> None:
    there = {name for jar in JARS.glob("kafka*.jar") for name in zipfile.ZipFile(jar).namelist()}
    missing = {tool for tool, main_class in TOOLS.items() if f"{main_class.replace('.', '/')}.class" not in there}
    assert there
    assert missing == set()


def test_another_name_is_answered_with_those_that_there_are() -> None:
    result = CliRunner().invoke(app, ["kafka", "nonsense", "--describe"])
    assert result.exit_code == 1
    assert "there is no tool nonsense; there are acls, configs, console-consumer, " in result.output
