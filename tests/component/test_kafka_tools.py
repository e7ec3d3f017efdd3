"""Each tool of `countersign kafka` is a class in Kafka's jars, and an unknown tool lists them."""

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


def test_an_unknown_tool_lists_the_known_ones() -> None:
    result = CliRunner().invoke(app, ["kafka", "nonsense", "--describe"])
    assert result.exit_code == 1
    assert "there is no tool nonsense; the tools are acls, configs, console-consumer, " in result.output
