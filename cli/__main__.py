"""The command ``countersign``, or ``python -m cli``."""

import sys

import typer

from authenticator.device.commands import CANNOT_RUN, Commands
from cli import accounts, audit, dlq, kafka, keys, passwords, policy, proof, topics
from services.common.kafka.connection import KafkaRefusesError
from services.common.telemetry.logs import show_warnings_only

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Administers Countersign: accounts, keys, topics, proofs, audits. For phones, use countersign-authenticator.",
)
app.add_typer(accounts.app, name="accounts")
app.add_typer(keys.app, name="keys")
app.add_typer(passwords.app, name="passwords")
app.add_typer(topics.app, name="topics")
app.add_typer(dlq.app, name="dlq")
app.add_typer(proof.app, name="proof")
app.add_typer(audit.app, name="audit")
app.add_typer(policy.app, name="policy")
app.command("kafka", context_settings=kafka.PASS_ON)(kafka.run_tool)


def main() -> None:
    """Run the command."""
    show_warnings_only()
    try:
        app(prog_name="countersign")
    except KafkaRefusesError as error:
        typer.echo(f"countersign: {error}", err=True)
        sys.exit(CANNOT_RUN)


if __name__ == "__main__":
    main()
