"""What the commands share: options that name the deployment, and how they give up."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

Kafka = Annotated[str, typer.Option("--kafka", envvar="LOGIN_KAFKA_BOOTSTRAP", help="Kafka's HOST:PORT.")]
Prefix = Annotated[
    str, typer.Option("--topic-prefix", envvar="LOGIN_TOPIC_PREFIX", help="What stands before each topic's name.")
]
DEFAULT_KAFKA = "localhost:9092"
Directory = Annotated[
    Path,
    typer.Option("--secrets-directory", envvar="LOGIN_SECRETS_DIRECTORY", help="Where the services' keys are kept."),
]
DEFAULT_DIRECTORY = Path(".run/secrets")


def give_up(text: str) -> NoReturn:
    """Say why on standard error, and end with status 1."""
    typer.echo(f"countersign: {text}", err=True)
    raise typer.Exit(1) from None
