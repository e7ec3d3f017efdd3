"""``countersign kafka``: runs Kafka's own tools from KAFKA_HOME, or from the jars that `make setup` downloads."""

import os
import tempfile
from typing import Annotated, Final

import typer

from cli.common import DEFAULT_KAFKA, Kafka, cannot_run, give_up
from operations.kafka_tools import (
    JARS,
    KafkaMissingError,
    client_properties,
    java_command,
    properties_text,
    tool_jars,
)
from services.common.kafka.security import KafkaSecurity

TOOLS: Final = {
    "acls": "org.apache.kafka.tools.AclCommand",
    "configs": "kafka.admin.ConfigCommand",
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "topics": "org.apache.kafka.tools.TopicCommand",
}
"""The tools by name; in Kafka's distribution, each is bin/kafka-NAME.sh."""

PASS_ON: Final = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
"""Passes all words after the tool's name to the tool, ``--help`` included."""
QUIET_JAVA: Final = ("-Xlog:disable",)
"""Keeps the JVM's own messages out of the tool's output."""
LOG_PATH: Final = JARS.parent / "logs" / "kafka-tools.log"


def run_tool(
    context: typer.Context,
    tool: Annotated[str, typer.Argument(metavar="TOOL", help=", ".join(sorted(TOOLS)))],
    *,
    kafka: Kafka = DEFAULT_KAFKA,
) -> None:
    """Run one of Kafka's own tools (bin/kafka-TOOL.sh in Kafka's distribution) with all words after TOOL.

    The tools come from KAFKA_HOME (Kafka 4.2 or later) if it is set. They connect by the settings KAFKA_… as well.

    For example: countersign kafka topics --describe --topic auth.challenge
    """
    main_class = TOOLS.get(tool)
    if main_class is None:
        give_up(f"there is no tool {tool}; the tools are {', '.join(sorted(TOOLS))}")
    try:
        arguments = ["--bootstrap-server", kafka.bootstrap, *_command_config(kafka.security), *context.args]
        command = java_command(main_class, arguments, LOG_PATH, QUIET_JAVA, tool_jars())
    except KafkaMissingError as error:
        give_up(f"{error} In containers: docker compose exec kafka /opt/kafka/bin/kafka-{tool}.sh")
    try:
        # The tool replaces this process, so that it gets Ctrl-C and pipes and returns its status.
        os.execvp(command[0], command)  # noqa: S606 - a list made here, and no shell
    except FileNotFoundError:
        give_up("Java is missing; `make setup` installs it")


def _command_config(security: KafkaSecurity) -> list[str]:
    """Return the option with which a tool reads the connection's properties; empty if there are none.

    The file has no name, so that no secret stays behind however the tool ends. The tool inherits the open file.
    """
    try:
        properties = client_properties(security)
    except (OSError, ValueError) as error:
        cannot_run(f"the files of KAFKA_SSL_… cannot be used: {error}")
    if not properties:
        return []
    file = tempfile.TemporaryFile("w+", buffering=1)  # noqa: SIM115 - the tool closes it
    file.write(properties_text(properties))
    file.flush()
    file.seek(0)
    descriptor = os.dup(file.fileno())
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - the function's own parameter
    return ["--command-config", f"/dev/fd/{descriptor}"]
