"""``countersign topics``: make the Kafka topics, and compare those that exist with what Countersign needs."""

import asyncio
import shlex
from typing import Annotated, Final, NoReturn

import typer
from aiokafka.errors import KafkaError

from cli.common import DEFAULT_KAFKA, Kafka, Prefix, give_up
from cli.repartition import repartition
from operations.access_rules import access_rules
from operations.deployment import TOPOLOGIES
from operations.topics import TopicsError, apply_topics
from operations.topics_check import differences

app = typer.Typer(help="Make, check and repartition the Kafka topics; tell who may use them.", no_args_is_help=True)
app.command()(repartition)
Partitions = Annotated[int, typer.Option(min=1, envvar="LOGIN_PARTITIONS", help="Partitions of each topic.")]
Replication = Annotated[int, typer.Option(min=1, help="How many brokers keep each record.")]
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
    """Make the topics that are missing. Those that exist are left as they are."""
    try:
        applied = asyncio.run(apply_topics(kafka, topic_prefix, partitions, replication))
    except (TopicsError, KafkaError) as error:
        _give_up(kafka, error)
    for name in applied.created:
        typer.echo(f"made {name}")
    typer.echo(f"{len(applied.created)} made, {len(applied.present)} were there before.")


@app.command()
def check(
    *,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    partitions: Partitions = DEFAULT_PARTITIONS,
    replication: Replication = 1,
) -> None:
    """Compare the topics with what Countersign needs; change nothing. Exit code 1 if one is missing or differs."""
    try:
        found = asyncio.run(differences(kafka, topic_prefix, partitions, replication))
    except KafkaError as error:
        _give_up(kafka, error)
    for difference in found:
        typer.echo(difference)
    if found:
        raise typer.Exit(1)
    typer.echo("All topics are as they should be.")


@app.command()
def acls(
    *,
    topic_prefix: Prefix = "",
    principal: Annotated[
        str,
        typer.Option(help="Who a service is to Kafka; SERVICE stands for its name, as in User:SERVICE."),
    ] = "User:SERVICE",
) -> None:
    """Print what each service may do, as commands of Kafka's own tool kafka-acls. It asks no Kafka.

    For example: countersign topics acls | xargs -L 1 countersign kafka acls
    """
    if SERVICE not in principal:
        give_up(f"--principal {principal!r} has no word {SERVICE}: all services would be one to Kafka")
    for rule in access_rules(TOPOLOGIES, topic_prefix):
        typer.echo(shlex.join(rule.arguments(principal.replace(SERVICE, rule.service))))


def _give_up(kafka: str, error: Exception) -> NoReturn:
    text = str(error) if isinstance(error, TopicsError) else f"Kafka cannot be reached at {kafka}. Is it running?"
    give_up(text)
