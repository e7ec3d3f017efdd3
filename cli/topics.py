"""``countersign topics``: make the Kafka topics, and compare those that exist with what Countersign needs."""

import asyncio
from typing import Annotated, NoReturn

import typer
from aiokafka.errors import KafkaError

from cli.common import DEFAULT_KAFKA, Kafka, Prefix, give_up
from cli.repartition import repartition
from operations.topics import TopicsError, apply_topics
from operations.topics_check import differences

app = typer.Typer(help="Make, check and repartition the Kafka topics.", no_args_is_help=True)
app.command()(repartition)
Partitions = Annotated[int, typer.Option(min=1, envvar="LOGIN_PARTITIONS", help="Partitions of each topic.")]
Replication = Annotated[int, typer.Option(min=1, help="How many brokers keep each record.")]
DEFAULT_PARTITIONS = 4


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


def _give_up(kafka: str, error: Exception) -> NoReturn:
    text = str(error) if isinstance(error, TopicsError) else f"Kafka cannot be reached at {kafka}. Is it running?"
    give_up(text)
