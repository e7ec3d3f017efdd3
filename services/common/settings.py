"""Settings that all services have, and how they are read: from the environment and from the command line."""

import sys
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[float, Field(gt=0)]
INVALID_SETTING_STATUS = 2


class ServiceSettings(BaseSettings):
    """What every service can be told. The defaults suit one machine."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_avoid_json=True,
        cli_hide_none_type=True,
        use_attribute_docstrings=True,
        # LOGIN_PASSWORDS_TRIES is the field `tries` of the group `passwords`; its other fields keep their defaults.
        env_nested_delimiter="_",
        env_nested_max_split=1,
        nested_model_default_partial_update=True,
    )

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all."""
    port: Port
    """Port to listen on."""
    public_url: str | None = None
    """URL that browsers and devices reach this service by; default http://localhost:PORT."""
    kafka_bootstrap: str = "localhost:9092"
    """Kafka's host:port list."""
    topic_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{0,40}$")] = ""
    """What stands before each topic's name; lets deployments share a Kafka."""
    partitions: Annotated[int, Field(ge=1, le=1000)] = 4
    """Partitions of each topic, as they are in Kafka; `countersign topics repartition` changes that."""
    data_directory: Path | None = None
    """Where this instance keeps its tables and views; each instance has its own. Default .run/data/SERVICE-PORT."""
    secrets_directory: Path = Path(".run/secrets")
    """Where keys are kept; all instances of a deployment share the same content. Missing ones are made."""
    session_timeout_seconds: Annotated[float, Field(ge=1, le=300)] = 6.0
    """After how long without a sign of life an instance's partitions go to another one. Kafka grants no less than its
    group.min.session.timeout.ms, which is 6 s unless it is set."""
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = 0
    """How many proxies in front are trusted to add the client to X-Forwarded-For; 0 ignores the header."""
    unready_seconds: Annotated[float, Field(ge=0, le=120)] = 0.0
    """How long it serves on when told to stop, while /ready says so, for a load balancer to take it out."""
    metrics_port: Port | None = None
    """Port to serve /metrics on for Prometheus; default nowhere. Nothing there asks who comes, so keep it inside."""
    metrics_host: str = "127.0.0.1"
    """Address to serve /metrics on."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least level to log."""

    @property
    def url(self) -> str:
        """The URL that this service goes by, without a trailing slash."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    def data_directory_of(self, service: str) -> Path:
        """The directory of this instance's tables and views."""
        return self.data_directory or Path(".run/data") / f"{service}-{self.port}"

    def views_directory_of(self, service: str) -> Path:
        """The directory of this instance's views."""
        return self.data_directory_of(service) / "views"


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def load_settings(kind: type[SettingsT], program: str, arguments: list[str] | None = None) -> SettingsT:
    """Read a service's settings; the command line goes before the environment.

    Args:
        kind: The settings' class.
        program: The command as it is typed, for ``--help``.
        arguments: The command line, default the process's own.

    Returns:
        The settings. An invalid one ends the process with status 2 and a message that names it.

    """
    try:
        return kind(
            _cli_parse_args=sys.argv[1:] if arguments is None else arguments,
            _cli_prog_name=program,
        )
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        for each in error.errors():
            parts = [str(part) for part in each["loc"]]
            name, flag = "_".join(parts), ".".join(parts).replace("_", "-")
            line = f"{program}: setting {prefix}{name.upper()} (or --{flag}) is invalid: {each['msg']}"
            sys.stderr.write(line + "\n")
        raise SystemExit(INVALID_SETTING_STATUS) from None
