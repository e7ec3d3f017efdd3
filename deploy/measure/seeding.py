"""Writes accounts and paired phones into the changelogs of a deployment whose services are stopped.

An owner reads the changelogs of its tables when it starts, and writes them alone while it runs. So nobody else may
write them then; while no service is in its consumer group, whoever writes rows that the rules made is as good an owner.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CoordinatorNotAvailableError, KafkaError

from deploy.measure.acting import Person, RefusedError, Tables
from deploy.measure.seeds import DEVICE_NAME, Seed
from schemas.topics import LOGIN, PAIRING, PUSH
from services.common.progress import Progress
from services.login.admin import Administration, administration
from services.login.domain.rows import Account
from services.login.settings import LoginSettings
from services.pairing.settings import PairingSettings

AT_A_STRETCH: Final = 500
"""After so many people Kafka must have their rows, and the services must still be stopped."""
LINGER_MILLISECONDS: Final = 20
BATCH_BYTES: Final = 256 * 1024
PATIENCE_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.5


class SeedingError(Exception):
    """Seeding cannot go on. The text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall be there.

    Attributes:
        seed: What names and keys follow from.
        accounts: How many accounts.
        phones: How many of them, the first ones, have a phone.
        password_hash: The one hash of their one password, Argon2id in PHC string format.

    """

    seed: Seed
    accounts: int
    phones: int
    password_hash: str


@dataclass(frozen=True, slots=True)
class Seeding:
    """Writes what is missing of a plan."""

    plan: Plan
    _tables: Tables
    _prefix: str
    _accounts: Administration
    _admin: AIOKafkaAdminClient
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
            on_progress: Told how far the accounts that are there have been read.

        Raises:
            SeedingError: If its services run.
            AdminError: If Kafka cannot be reached, or the accounts cannot be read.

        """
        admin = AIOKafkaAdminClient(bootstrap_servers=login.kafka_bootstrap)
        producer = AIOKafkaProducer(
            bootstrap_servers=login.kafka_bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=LINGER_MILLISECONDS,
            max_batch_size=BATCH_BYTES,
        )
        try:
            async with administration(login.kafka_bootstrap, login.topic_prefix, on_progress) as accounts:
                await admin.start()
                await producer.start()
                seeding = cls(plan, Tables.of(login, pairing), login.topic_prefix, accounts, admin, producer)
                await seeding.require_stopped()
                yield seeding
        finally:
            await producer.stop()
            await admin.close()

    def other_account(self) -> str | None:
        """Return the name of an account that is not by this seed's names, or None where there is none."""
        others = (key for key in self._accounts.view.keys() if not self.plan.seed.made(key))  # noqa: SIM118 - no dict
        return next((key for key in others if self._account(key) is not None), None)

    async def run(self, on_made: Callable[[Progress], None]) -> None:
        """Write what is missing.

        Args:
            on_made: Told how many of the accounts are as planned.

        Raises:
            SeedingError: If a service starts meanwhile, or the rules or Kafka refuse.

        """
        for first in range(0, self.plan.accounts, AT_A_STRETCH):
            last = min(first + AT_A_STRETCH, self.plan.accounts)
            sent = [delivery for number in range(first, last) for delivery in await self._make(number)]
            try:
                await asyncio.gather(*sent)
            except KafkaError as error:
                text = f"Kafka does not take the rows: {error}. Run this again: it goes on from here."
                raise SeedingError(text) from error
            if sent:
                await self.require_stopped()
            on_made(Progress(last, self.plan.accounts))

    async def require_stopped(self) -> None:
        """Check that no service of the deployment runs.

        Raises:
            SeedingError: If one does.

        """
        for service in (LOGIN, PAIRING, PUSH):
            if await self._members(f"{self._prefix}{service}"):
                text = (
                    f"The {service} service runs. Stop the services and leave Kafka running "
                    "(make run INSTANCES=0, or docker compose stop login pairing push), then run this again."
                )
                raise SeedingError(text)

    async def _members(self, group: str) -> int:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    (answer,) = await self._admin.describe_consumer_groups([group])
                except CoordinatorNotAvailableError:
                    await asyncio.sleep(_PAUSE_SECONDS)  # Kafka makes the topic of the groups at the first question
                else:
                    ((_error, _name, _state, _type, _protocol, members, *_),) = answer.groups
                    return len(members)

    async def _make(self, number: int) -> list["asyncio.Future[object]"]:
        """Have Kafka sent what is missing of a person; return what tells that it has that."""
        name = self.plan.seed.name(number)
        account, phone = self._account(name), number < self.plan.phones
        if account is not None and (account.devices or not phone):
            return []
        person = Person(self._tables, name, account)
        try:
            if account is None:
                person.make_account(self.plan.password_hash)
            if phone:
                person.pair(self.plan.seed.key(name), DEVICE_NAME)
        except RefusedError as error:
            raise SeedingError(str(error)) from error
        return [
            await self._producer.send(f"{self._prefix}{changelog.name}", row.model_dump_json().encode(), key.encode())
            for changelog, key, row in person.rows()
        ]

    def _account(self, name: str) -> Account | None:
        account = self._accounts.view.get(name)
        return None if account is None or account.removed_at is not None else account
