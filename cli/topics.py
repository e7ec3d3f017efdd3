"""``countersign topics``: create, check and repartition the Kafka topics, and print or apply their access rules."""

import asyncio
import json
import shlex
from collections.abc import Callable, Sequence
from typing import Annotated, Final, NoReturn

import typer
from aiokafka.errors import KafkaError

from cli.common import DEFAULT_KAFKA, AsJson, Kafka, Prefix, give_up
from cli.repartition import repartition
from operations.access_rules import AccessRule, all_rules
from operations.granted_rules import AccessRulesError, apply_rules
from operations.topics import TopicsError, apply_topics, differences
from services.common.kafka.connection import KafkaConnection, unreachable_text

app = typer.Typer(
    help="Create, check and repartition the Kafka topics; print their access rules.", no_args_is_help=True
)
app.command()(repartition)
Partitions = Annotated[int, typer.Option(min=1, envvar="LOGIN_PARTITIONS", help="Number of partitions of each topic.")]
Replication = Annotated[int, typer.Option(min=1, envvar="LOGIN_REPLICATION", help="Replication factor.")]
DEFAULT_PARTITIONS = 4
ROLE: Final = "ROLE"


@app.command()
def apply(
    *,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    partitions: Partitions = DEFAULT_PARTITIONS,
    replication: Replication = 1,
) -> None:
    """Create the missing topics, and mend the settings of those that are there; refuse what it cannot mend."""
    try:
        applied = asyncio.run(apply_topics(kafka, topic_prefix, partitions, replication))
    except (TopicsError, KafkaError) as error:
        _give_up(kafka, error)
    for name in applied.created:
        typer.echo(f"created {name}")
    for sentence in applied.mended:
        typer.echo(f"mended {sentence}")
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
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
    principal: Annotated[
        str,
        typer.Option(help="The principal of a role; ROLE stands for login, pairing, push, operator or audit."),
    ] = f"User:{ROLE}",
    add: Annotated[bool, typer.Option("--apply", help="Add what is missing, as a superuser of Kafka.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the access rules of services, operators and the audit as arguments of the tool kafka-acls, or apply them.

    For example: countersign topics acls | xargs -L 1 countersign kafka acls
    """
    if ROLE not in principal:
        give_up(f"--principal {principal!r} does not contain {ROLE}: all would share one principal")
    rules = all_rules(topic_prefix)

    def principal_of(role: str) -> str:
        return principal.replace(ROLE, role)

    if add:
        _apply_rules(kafka, rules, principal_of)
    elif as_json:
        typer.echo(json.dumps([rule.document(principal_of(rule.role)) for rule in rules], indent=2))
    else:
        for rule in rules:
            typer.echo(shlex.join(rule.arguments(principal_of(rule.role))))


def _apply_rules(kafka: KafkaConnection, rules: Sequence[AccessRule], principal_of: Callable[[str], str]) -> None:
    try:
        applied = asyncio.run(apply_rules(kafka, rules, principal_of))
    except AccessRulesError as error:
        give_up(str(error))
    except KafkaError as error:
        _give_up(kafka, error)
    for grant in applied.added:
        typer.echo(f"added {grant}")
    for grant in applied.further:
        typer.echo(f"more than needed: {grant}")
    typer.echo(f"{len(applied.added)} added, {applied.present} existed before.")


def _give_up(connection: KafkaConnection, error: Exception) -> NoReturn:
    give_up(str(error) if isinstance(error, TopicsError) else unreachable_text(connection, error))
