"""``countersign kafka``: Kafka's own tools, from the jars that `make setup` brings."""

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
"""The tools by name; in a Kafka that was unpacked, each is bin/kafka-NAME.sh."""

PASS_ON: Final = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
"""How the command is read: what stands behind the tool's name is the tool's, ``--help`` too."""
QUIET_JAVA: Final = ("-Xlog:disable",)
"""What Java says of itself would stand among what the tool says."""
LOG_PATH: Final = JARS.parent / "logs" / "kafka-tools.log"


def run_tool(
    context: typer.Context,
    tool: Annotated[str, typer.Argument(metavar="TOOL", help=", ".join(sorted(TOOLS)))],
    *,
    kafka: Kafka = DEFAULT_KAFKA,
) -> None:
    """Run one of Kafka's own tools: what is bin/kafka-TOOL.sh elsewhere. What follows TOOL is the tool's own.

    For example: countersign kafka topics --describe --topic auth.challenge
    """
    main_class = TOOLS.get(tool)
    if main_class is None:
        give_up(f"there is no tool {tool}; there are {', '.join(sorted(TOOLS))}")
    try:
        arguments = ["--bootstrap-server", kafka, *context.args]
        command = java_command(main_class, arguments, LOG_PATH, QUIET_JAVA)
    except KafkaMissingError as error:
        give_up(f"{error} In containers: docker compose exec kafka /opt/kafka/bin/kafka-{tool}.sh")
    try:
        # In this one's place, so that Ctrl-C, pipes and the status are the tool's.
        os.execvp(command[0], command)  # noqa: S606 - a list made here, and no shell
    except FileNotFoundError:
        give_up("Java is missing; `make setup` brings it")
