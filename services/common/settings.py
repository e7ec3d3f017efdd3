"""The settings of every service, read from the environment and the command line."""

import re
import sys
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[float, Field(gt=0)]
INVALID_SETTING_STATUS = 2


_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+/?")


def read_networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return the networks in a text, separated by spaces or commas.

    Raises:
        ValueError: If one of them is none.

    """
    return tuple(ip_network(each) for each in text.replace(",", " ").split())


def _require_networks(text: str) -> str:
    read_networks(text)
    return text


def read_origin(text: str) -> str:
    """Return a URL that a service can be reached by, without the slash at its end.

    Raises:
        ValueError: If it is more or less than a scheme, a host and perhaps a port: the services serve from the root.

    """
    try:
        parts = urlsplit(text)
        complete = parts.scheme in {"http", "https"} and parts.hostname is not None and parts.port != 0
    except ValueError:
        complete = False
    if not complete or not _ORIGIN.fullmatch(text):
        reason = "it must be http://HOST or https://HOST, perhaps with a :PORT, and no path"
        raise ValueError(reason)
    return text.removesuffix("/")


Origin = Annotated[str, AfterValidator(read_origin)]
"""A URL of scheme, host and perhaps port."""


class ServiceSettings(BaseSettings):
    """The settings that all services share. The defaults suit one machine."""

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
    public_url: Origin | None = None
    """URL that browsers and devices reach this service by; default http://localhost:PORT."""
    kafka_bootstrap: str = "localhost:9092"
    """Kafka's host:port list."""
    topic_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{0,40}$")] = ""
    """Prefix of each topic's name; lets several deployments share one Kafka."""
    partitions: Annotated[int, Field(ge=1, le=1000)] = 4
    """Number of partitions of each topic, as in Kafka; `countersign topics repartition` changes it."""
    replication: Annotated[int, Field(ge=1, le=9)] = 1
    """Replication factor that each topic must have at least, as given to `countersign topics apply`."""
    data_directory: Path | None = None
    """Directory of this instance's tables and views; each instance needs its own. Default .run/data/SERVICE-PORT."""
    secrets_directory: Path = Path(".run/secrets")
    """Directory of the keys; all instances of a deployment share its content. Missing keys are created."""
    shared_secrets_directory: Path | None = None
    """Directory of the key that login and pairing share; default the directory of the keys."""
    session_timeout_seconds: Annotated[float, Field(ge=1, le=300)] = 6.0
    """Time without a heartbeat after which another instance takes over the partitions, within half a second. Kafka's
    lower bound is group.min.session.timeout.ms, by default 6 s."""
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = 0
    """Number of proxies in front that are trusted to append the client to X-Forwarded-For; 0 ignores the header."""
    trusted_networks: Annotated[str, AfterValidator(_require_networks)] = ""
    """Networks in which those proxies are, such as 10.0.0.0/8, separated by spaces or commas; default anywhere. With
    TRUSTED_PROXIES=0, all proxies in them are trusted."""
    unready_seconds: Annotated[float, Field(ge=0, le=120)] = 0.0
    """Time for which a stopping instance still serves while /ready is red, so that load balancers remove it first."""
    metrics_port: Port | None = None
    """Port to serve /metrics on for Prometheus; default none. It has no authentication, so keep it internal."""
    metrics_host: str = "127.0.0.1"
    """Address to serve /metrics on."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Lowest level to log."""

    @property
    def url(self) -> str:
        """The public URL of this service, without a trailing slash."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def shared_secrets(self) -> Path:
        """The directory of the key that login and pairing share."""
        return self.shared_secrets_directory or self.secrets_directory

    def data_directory_of(self, service: str) -> Path:
        """The directory of this instance's tables and views."""
        return self.data_directory or Path(".run/data") / f"{service}-{self.port}"

    def views_directory_of(self, service: str) -> Path:
        """The directory of this instance's views."""
        return self.data_directory_of(service) / "views"


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def load_settings(kind: type[SettingsT], program: str, arguments: list[str] | None = None) -> SettingsT:
    """Read a service's settings; the command line overrides the environment.

    Args:
        kind: The settings' class.
        program: The command for ``--help``.
        arguments: The command line; default the process's own.

    Returns:
        The settings. An invalid setting ends the process with status 2 and a message that names it.

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
