"""``countersign topics``: create, check and repartition the Kafka topics, and print their access rules."""

import asyncio
import shlex
from typing import Annotated, Final, NoReturn

import typer
from aiokafka.errors import KafkaError

from cli.common import DEFAULT_KAFKA, Kafka, Prefix, give_up
from cli.repartition import repartition
from operations.access_rules import access_rules
from operations.deployment import TOPOLOGIES
from operations.topics import TopicsError, apply_topics, differences
from services.common.kafka.connection import KafkaConnection, unreachable_text

app = typer.Typer(
    help="Create, check and repartition the Kafka topics; print their access rules.", no_args_is_help=True
)
app.command()(repartition)
Partitions = Annotated[int, typer.Option(min=1, envvar="LOGIN_PARTITIONS", help="Number of partitions of each topic.")]
Replication = Annotated[int, typer.Option(min=1, help="Replication factor.")]
DEFAULT_PARTITIONS = 4
SERVICE: Final = "SERVICE"


@app.command()
def apply(
    *,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    partitions: Partitions = DEFAULT_PARTITIONS,
    replication: Replication = 1,
) -> None:
    """Create the missing topics; existing ones stay unchanged."""
    try:
        applied = asyncio.run(apply_topics(kafka, topic_prefix, partitions, replication))
    except (TopicsError, KafkaError) as error:
        _give_up(kafka, error)
    for name in applied.created:
        typer.echo(f"created {name}")
    typer.echo(f"{len(applied.created)} created, {len(applied.present)} existed before.")


@app.command()
def check(
    *,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    partitions: Partitions = DEFAULT_PARTITIONS,
    replication: Replication = 1,
) -> None:
    """Compare the topics with the requirements; change nothing. Exit code 1: a topic is missing or differs."""
    try:
        lines = asyncio.run(differences(kafka, topic_prefix, partitions, replication))
    except KafkaError as error:
        _give_up(kafka, error)
    for line in lines:
        typer.echo(line)
    if lines:
        raise typer.Exit(1)
    typer.echo("All topics meet the requirements.")


@app.command()
def acls(
    *,
    topic_prefix: Prefix = "",
    principal: Annotated[
        str,
        typer.Option(help="A service's Kafka principal; SERVICE stands for the service's name."),
    ] = "User:SERVICE",
) -> None:
    """Print each service's access rules as arguments of the tool kafka-acls. It does not connect to Kafka.

    For example: countersign topics acls | xargs -L 1 countersign kafka acls
    """
    if SERVICE not in principal:
        give_up(f"--principal {principal!r} does not contain {SERVICE}: all services would share one principal")
    for rule in access_rules(TOPOLOGIES, topic_prefix):
        typer.echo(shlex.join(rule.arguments(principal.replace(SERVICE, rule.service))))


def _give_up(connection: KafkaConnection, error: Exception) -> NoReturn:
    give_up(str(error) if isinstance(error, TopicsError) else unreachable_text(connection, error))
