"""``countersign kafka``: runs Kafka's own tools from the jars that `make setup` downloads."""

import os
from typing import Annotated, Final

import typer

from cli.common import DEFAULT_KAFKA, Kafka, give_up
from operations.kafka_tools import JARS, KafkaMissingError, java_command

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

    For example: countersign kafka topics --describe --topic auth.challenge
    """
    main_class = TOOLS.get(tool)
    if main_class is None:
        give_up(f"there is no tool {tool}; the tools are {', '.join(sorted(TOOLS))}")
    try:
        arguments = ["--bootstrap-server", kafka, *context.args]
        command = java_command(main_class, arguments, LOG_PATH, QUIET_JAVA)
    except KafkaMissingError as error:
        give_up(f"{error} In containers: docker compose exec kafka /opt/kafka/bin/kafka-{tool}.sh")
    try:
        # The tool replaces this process, so that it gets Ctrl-C and pipes and returns its status.
        os.execvp(command[0], command)  # noqa: S606 - a list made here, and no shell
    except FileNotFoundError:
        give_up("Java is missing; `make setup` installs it")
