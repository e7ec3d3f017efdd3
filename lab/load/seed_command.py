"""The command ``seed``: accounts and paired phones for measuring."""

import asyncio
import re
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console

from cli.common import DEFAULT_DIRECTORY, DEFAULT_KAFKA, Directory, Kafka, Prefix, give_up, read_line
from lab.load.parallel_build import Plan
from lab.load.progress_bar import Bar
from lab.load.seed_keys import DEFAULT_PREFIX, DEFAULT_SEED, Seed
from lab.load.seeding import Seeding, SeedingError
from operations.repartition.cluster import UnreachableError
from schemas.topics import LOGIN
from services.common.keys.key_files import KeyFileError
from services.common.keys.peppers import load_peppers
from services.login.admin import AdminError
from services.login.directory import prepare_name
from services.login.settings import LoginSettings
from services.login.sign_in.passwords import hash_password
from services.pairing.settings import PairingSettings

ID: Final = re.compile(r"[a-z0-9._~@+-]*")
"""What may stand in a name that is an id as well."""
Count = Annotated[int, typer.Option(min=1, max=9_999_999, help="How many accounts there shall be.")]


def seed(  # noqa: PLR0913 - the options of a command
    *,
    accounts: Count = 1000,
    phones: Annotated[int, typer.Option(min=0, help="How many of them, the first ones, shall have a phone.")] = 100,
    names: Annotated[str, typer.Option(help="What stands before the number in each name.")] = DEFAULT_PREFIX,
    seed_text: Annotated[str, typer.Option("--seed", help="What the phones' keys follow from.")] = DEFAULT_SEED,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the one password of all from standard input's first line.")
    ] = False,
    beside_others: Annotated[
        bool, typer.Option("--beside-others", help="Do it though there are other accounts as well.")
    ] = False,
    secrets_directory: Directory = DEFAULT_DIRECTORY,
    kafka: Kafka = DEFAULT_KAFKA,
    topic_prefix: Prefix = "",
) -> None:
    """Make accounts with paired phones in a deployment, to measure it. Never where people sign in.

    All of them have one password, hashed once, and the seed gives the phones' keys. Running it again makes only what is
    missing, so it can be interrupted.

    Kafka must run and the services must not: their rows are made here, by their own rules and keys, from the commands
    that a browser and a phone would have caused, and are written to the tables' changelogs, which the services read
    when they start. To have each of a million rows decided by running services would take hours and come to the same
    rows. The services' settings are taken from the environment (LOGIN_ISSUER and so on), as the services take them.
    """
    password = read_line() if password_stdin else ""
    if not password:
        give_up("add --password-stdin, and give the password of all accounts on the first line of standard input")
    chosen = Seed(seed_text, names)
    if phones > accounts:
        give_up("there cannot be more phones than accounts")
    if not ID.fullmatch(names) or prepare_name(chosen.name(0)) != chosen.name(0):
        give_up("a name has small letters (a to z), digits and the marks . _ ~ @ + -")
    place = {
        "kafka_bootstrap": kafka.bootstrap,
        "topic_prefix": topic_prefix,
        "secrets_directory": str(secrets_directory),
    }
    try:
        login, pairing = LoginSettings.model_validate(place), PairingSettings.model_validate(place)
        plan = Plan(chosen, accounts, phones, hash_password(password, load_peppers(secrets_directory, LOGIN).active))
        asyncio.run(_seed(plan, login, pairing, beside_others=beside_others))
    except ValidationError as error:
        give_up(f"a setting of the services is invalid: {error}")
    except (AdminError, KeyFileError, SeedingError, UnreachableError) as error:
        give_up(str(error))
    except KeyboardInterrupt:
        give_up("interrupted; run this again: it goes on from here")


async def _seed(plan: Plan, login: LoginSettings, pairing: PairingSettings, *, beside_others: bool) -> None:
    console = Console(stderr=True)
    with Bar(console, "Reading what is there") as reading, Bar(console, "Making accounts and phones") as making:
        async with Seeding.connected(plan, login, pairing, reading.show) as seeding:
            other = None if beside_others else seeding.other_account()
            if other is not None:
                text = (
                    f"There is another account, {other}: seeding is for deployments that no person signs in to. "
                    "If this is one, add --beside-others."
                )
                raise SeedingError(text)
            await seeding.run(making.show)
    typer.echo(f"{plan.accounts} accounts are there, {plan.phones} of them with a phone.")
