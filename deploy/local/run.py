"""Runs Countersign on this machine until Ctrl-C: ``python -m deploy.local.run --help``."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from rich.console import Console
from rich.markup import escape

from deploy.local.instance_process import ServiceStartError
from deploy.local.interruption import interrupt_once
from deploy.local.kafka.broker import KafkaStartError
from deploy.local.kafka.embedded import CONTROLLERS_HIGHER
from deploy.local.ports import PortTakenError
from deploy.local.stack import METRICS_OFFSET, SERVICES, Stack, StackOptions
from deploy.local.supervisor import Restartable, Supervisor
from operations import demo_account
from operations.demo_account import DemoAccountError, demo_password
from operations.kafka_tools import KafkaMissingError
from operations.topics import TopicsError
from services.common.instance.resources import open_secrets

KAFKA_PORT: Final = 9092
HIGHEST_KAFKA_PORT: Final = 65535 - CONTROLLERS_HIGHER - 9
_MOST_INSTANCES: Final = 9
_HIGHEST_PORT: Final = 65535 - METRICS_OFFSET - _MOST_INSTANCES
_CHECK_SECONDS: Final = 0.25
_EXPECTED: Final = (
    DemoAccountError,
    KafkaMissingError,
    KafkaStartError,
    PortTakenError,
    ServiceStartError,
    TopicsError,
)


def _port(description: str) -> Any:
    """Return a port's option, whose maximum leaves room for the ports of further instances and of their metrics."""
    return typer.Option(min=1, max=_HIGHEST_PORT, help=description)


def main(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    data: Annotated[Path, typer.Option(help="Directory of all data, keys and logs.")] = Path(".run"),
    host: Annotated[
        Literal["127.0.0.1", "0.0.0.0"],  # noqa: S104 - the user chooses to open it
        typer.Option(help="The address to listen on; 0.0.0.0 opens it to the network."),
    ] = "127.0.0.1",
    login_port: Annotated[int, _port("Account Manager's port.")] = SERVICES["login"],
    pairing_port: Annotated[int, _port("The pairing service's port.")] = SERVICES["pairing"],
    push_port: Annotated[int, _port("The authenticator's port.")] = SERVICES["push"],
    kafka_port: Annotated[
        int, typer.Option(min=1, max=HIGHEST_KAFKA_PORT, help="Kafka's port; always on 127.0.0.1 only.")
    ] = KAFKA_PORT,
    instances: Annotated[
        int,
        typer.Option(
            min=0,
            max=_MOST_INSTANCES,
            help="Instances of each service; further ones listen on the next ports. 0 starts Kafka alone.",
        ),
    ] = 1,
    brokers: Annotated[
        int,
        typer.Option(min=1, max=9, help="Number of Kafka brokers; with three, one may fail. Fixed at the first run."),
    ] = 1,
    partitions: Annotated[
        int,
        typer.Option(min=1, max=1000, help="Partitions of each topic; `countersign topics repartition` changes it."),
    ] = 4,
) -> None:
    """Start Kafka and the services, print their addresses, and stop them at Ctrl-C.

    The metrics of each instance are served only on this machine, on its port plus 500.

    Exported settings of the services (LOGIN_…, PAIRING_…, PUSH_…) override the settings of this program.
    """
    console = Console(highlight=False, soft_wrap=True)
    ports = {"login": login_port, "pairing": pairing_port, "push": push_port}
    options = StackOptions(
        directory=data,
        ports=ports,
        instances=instances,
        kafka_port=kafka_port,
        brokers=brokers,
        host=host,
        partitions=partitions,
        environment=_exported_settings(),
    )
    interrupt_once()
    try:
        with Stack(options, partial(show_step, console)) as stack:
            if instances:
                with show_step(console, "Demo account"):
                    password = demo_password(stack.secrets, stack.environment("login"))
                _show(console, stack, password)
                for path in open_secrets([stack.secrets], [data]):
                    line = f"{path} is open to other users of this machine; chmod go= closes it"
                    console.print(line, style="yellow", markup=False)
            else:
                console.print(f"\nKafka is running at {stack.bootstrap}, without services. Stop it with Ctrl-C.")
            _supervise(console, stack)
    except KeyboardInterrupt:
        return
    except _EXPECTED as error:
        console.print(str(error), style="red", markup=False)
        sys.exit(1)


def _exported_settings() -> dict[str, str]:
    prefixes = tuple(f"{service.upper()}_" for service in SERVICES)
    return {name: value for name, value in os.environ.items() if name.startswith(prefixes)}


@contextmanager
def show_step(console: Console, title: str) -> Iterator[Callable[[str], None]]:
    """Display a step: in a terminal a spinner with the progress, and at its end a line."""
    started = time.monotonic()
    with console.status(title) as status:
        yield lambda progress: status.update(f"{title}  {escape(progress)}")
    console.print(f"  {title:<52} {time.monotonic() - started:5.1f} s")


def _show(console: Console, stack: Stack, password: str) -> None:
    console.print(
        f"""
Countersign is running.

  Account Manager   {_urls(stack, "login")}
  Authenticator     {_urls(stack, "push")}   (on a phone, or in a second window)

  Sign in as        {demo_account.NAME}
  Password          {password}

Stop it with Ctrl-C. The logs are in {stack.logs}, metrics at {_metrics_urls(stack)}.""",
        markup=False,
    )


def _urls(stack: Stack, service: str) -> str:
    public = stack.environment(service).get(f"{service.upper()}_PUBLIC_URL")
    return public or " or ".join(each.url for each in stack.instances.values() if each.service == service)


def _metrics_urls(stack: Stack) -> str:
    return ", ".join(f"http://localhost:{instance.metrics_port}/metrics" for instance in stack.instances.values())


def _supervise(console: Console, stack: Stack) -> None:
    def show(line: str) -> None:
        console.print(line, style="yellow", markup=False)

    processes: list[Restartable] = [*stack.instances.values()]
    if stack.kafka:
        processes.extend(stack.kafka.brokers)
    supervisors = [Supervisor(process, show) for process in processes]
    while True:
        for supervisor in supervisors:
            supervisor.check(time.monotonic())
        time.sleep(_CHECK_SECONDS)


if __name__ == "__main__":
    typer.run(main)
