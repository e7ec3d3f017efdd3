"""Writes accounts and paired phones into the changelogs of a deployment whose services are stopped.

While no service is in its consumer group, a program that begins a term in each partition of the changelogs, and writes
rows made by the rules, is as good an owner.
"""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.local.stack import SERVICES, Stack
from lab.load.parallel_build import Order, Plan, make_rows, prepare
from lab.load.row_builder import CommandRejectedError
from operations.deployment import CHANGELOGS
from operations.repartition.cluster import Cluster, cluster
from operations.repartition.owner import ChangelogOwner, NotOwnerError, read_states
from schemas.topics import LOGIN, PAIRING
from services.common.kafka.connection import read_connection
from services.common.keys.keys import load_secret
from services.common.keys.peppers import load_peppers
from services.common.progress import Progress
from services.common.rows.changelog import PartitionState
from services.login.admin import Administration, administration
from services.login.directory import NAME_KEY
from services.login.domain.account import Account
from services.login.settings import LoginSettings
from services.login.sign_in.passwords import hash_password
from services.pairing.settings import PairingSettings

AT_A_STRETCH: Final = 2000
"""After so many people Kafka must have their rows, and the services must still be stopped."""
PIECE: Final = 50
"""So many people are made by one process before another one may have its turn."""
LINGER_MILLISECONDS: Final = 20
BATCH_BYTES: Final = 256 * 1024


class SeedingError(Exception):
    """Seeding cannot go on. The text has the reason, and what to do."""


@dataclass(frozen=True, slots=True)
class Seeding:
    """Writes what is missing of a plan."""

    plan: Plan
    _pool: ProcessPoolExecutor
    _accounts: Administration
    _cluster: Cluster
    _producer: AIOKafkaProducer

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, plan: Plan, login: LoginSettings, pairing: PairingSettings, on_progress: Callable[[Progress], None]
    ) -> AsyncIterator[Self]:
        """Connect to a deployment.

        Args:
            plan: What shall be there.
            login: The settings of its login service: where Kafka and the keys are, and the rules.
            pairing: Those of its pairing service.
            on_progress: Takes how far the accounts that are there have been read.

        Raises:
            SeedingError: If its services run.
            AdminError: If Kafka cannot be reached, or the accounts cannot be read.
            UnreachableError: If Kafka has gone since.

        """
        connection = read_connection(login.kafka_bootstrap)
        producer = connection.producer(
            acks="all",
            enable_idempotence=True,
            linger_ms=LINGER_MILLISECONDS,
            max_batch_size=BATCH_BYTES,
        )
        # Started anew and not forked: this process has threads.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(mp_context=context, initializer=prepare, initargs=(plan, login, pairing))
        load_secret(login.secrets_directory, NAME_KEY)  # before the first start of a service, there is none
        try:
            place, keys = (connection, login.topic_prefix), login.secrets_directory
            async with administration(*place, keys, on_progress) as accounts, cluster(*place) as connected:
                await connection.start(producer)
                await _require_stopped(connected)
                yield cls(plan, pool, accounts, connected, producer)
        finally:
            pool.shutdown(cancel_futures=True)
            await producer.stop()

    def other_account(self) -> str | None:
        """Return the name of an account that is not by this seed's names, or None where there is none."""
        others = (key for key in self._accounts.view.keys() if not self.plan.seed.made(key))  # noqa: SIM118 - no dict
        found = (self._account(key) for key in others)
        return next((each.name for each in found if each is not None), None)

    async def run(self, on_made: Callable[[Progress], None]) -> None:
        """Write what is missing.

        Args:
            on_made: Takes how many of the accounts are as planned.

        Raises:
            SeedingError: If a service starts or another program writes meanwhile, or the rules or Kafka refuse.

        """
        owners: Mapping[str, ChangelogOwner] = {}
        for first in range(0, self.plan.accounts, AT_A_STRETCH):
            last = min(first + AT_A_STRETCH, self.plan.accounts)
            missing = [order for number in range(first, last) if (order := self._order(number)) is not None]
            try:
                if missing:
                    owners = owners or await _owners(self._cluster)
                    await self._make(missing, owners)
            except KafkaError as error:
                text = f"Kafka does not take the rows: {error}. Run this again: it goes on from here."
                raise SeedingError(text) from error
            except (CommandRejectedError, NotOwnerError) as error:
                raise SeedingError(str(error)) from error
            await _require_stopped(self._cluster)
            on_made(Progress(last, self.plan.accounts))

    async def _make(self, missing: Sequence[Order], owners: Mapping[str, ChangelogOwner]) -> None:
        """Have the rows of some people made, many at once, and wait until they count."""
        loop = asyncio.get_running_loop()
        pieces = [missing[first : first + PIECE] for first in range(0, len(missing), PIECE)]
        sent = []
        for made in asyncio.as_completed([loop.run_in_executor(self._pool, make_rows, piece) for piece in pieces]):
            for topic, key, value in await made:
                owner = owners[topic]
                partition, stamp = owner.place(key)
                sent.append(await self._producer.send(owner.topic, value, key, partition, headers=[stamp.header()]))
        await asyncio.gather(*sent)
        for owner in owners.values():
            await owner.require_standing(self._cluster)

    def _order(self, number: int) -> Order | None:
        """Return what is missing of a person, or None where nothing is."""
        name, phone = self.plan.seed.name(number), number < self.plan.phones
        account = self._accounts.view.get(name)
        if account is not None and account.removed_at is not None:
            text = f"The account {name} was removed, and its id is never used again: choose other names."
            raise SeedingError(text)
        complete = account is not None and (account.devices or not phone)
        return None if complete else Order(number, account, phone=phone)

    def _account(self, name: str) -> Account | None:
        account = self._accounts.view.get(name)
        return None if account is None or account.removed_at is not None else account


async def _require_stopped(cluster: Cluster) -> None:
    """Check that no service of the deployment runs.

    Raises:
        SeedingError: If one does.

    """
    running = await cluster.members([f"{cluster.prefix}{service}" for service in SERVICES])
    for service in SERVICES:
        if f"{cluster.prefix}{service}" in running:
            text = (
                f"The {service} service runs. Stop the services and leave Kafka running "
                "(make run INSTANCES=0, or docker compose stop login pairing push), then run this again."
            )
            raise SeedingError(text)


async def _owners(cluster: Cluster) -> dict[str, ChangelogOwner]:
    """Begin a term in each changelog, and return the owner of each by its name without the prefix.

    Raises:
        NotOwnerError: If another program does the same.

    """
    described = await cluster.topics()
    owners = {}
    for topic in CHANGELOGS:
        name = cluster.name(topic)
        states = await read_states(cluster, name, {each: PartitionState() for each in range(len(described[name]))})
        owners[topic.name] = await ChangelogOwner.begin(cluster, name, states)
    return owners


async def seed_stack(stack: Stack, plan: Plan, on_made: Callable[[Progress], None]) -> None:
    """Write what is missing of a plan into a stack of which Kafka runs alone.

    Args:
        stack: The stack.
        plan: What shall be there.
        on_made: Takes how many of the accounts are as planned.

    Raises:
        SeedingError: If a service runs, or the rules or Kafka refuse.
        AdminError: If the accounts cannot be read.

    """
    login = LoginSettings.model_validate(_settings(stack, LOGIN))
    pairing = PairingSettings.model_validate(_settings(stack, PAIRING))
    async with Seeding.connected(plan, login, pairing, lambda _progress: None) as seeding:
        await seeding.run(on_made)


def hash_for(stack: Stack, password: str) -> str:
    """Return a password's hash under a stack's keys."""
    return hash_password(password, load_peppers(stack.secrets, LOGIN).active)


def _settings(stack: Stack, service: str) -> dict[str, str]:
    """Return a service's settings by their names in the settings' class."""
    prefix = f"{service.upper()}_"
    named = stack.environment(service)
    return {name.removeprefix(prefix).lower(): value for name, value in named.items() if name.startswith(prefix)}
