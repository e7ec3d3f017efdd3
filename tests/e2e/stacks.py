"""The stacks that these tests play on: one with few limits, one with tight ones, one whose services are killed."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Browser

from deploy.local.stack import Stack, StackOptions
from services.common.kafka.connection import KafkaConnection
from services.login.admin import Administration, administration
from tests.broker import PARTITIONS, own_prefix
from tests.e2e.scenario import Scenario
from tests.e2e.screenshots import ARTEFACTS

LOGS: Final = ARTEFACTS / "logs"
"""Where the services' logs are kept after the run."""
SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    # One account can be asked and refuse more often than a person would, and browsers are remembered.
    "usual": {"LOGIN_CHALLENGES_MOST": "20", "LOGIN_DENIALS_TRIES": "20", "LOGIN_REMEMBER_DAYS": "30"},
    # What takes minutes takes seconds, and the password alone pairs no phone: a code by e-mail is needed, or an
    # administrator's where there is no address.
    "strict": {
        "LOGIN_CHALLENGE_SECONDS": "25",
        "LOGIN_PASSWORDS_PAUSE_SECONDS": "5",
        "LOGIN_DENIALS_PAUSE_SECONDS": "12",
        "LOGIN_CODES_PAUSE_SECONDS": "8",
        "LOGIN_ENROLMENT": "email",
        "LOGIN_SMTP_HOST": "localhost",
        "LOGIN_SMTP_SECURITY": "none",
        "LOGIN_MAIL_FROM": "accounts@example.org",
    },
    # As they come; services are killed, started again and multiplied there.
    "fragile": {},
}
"""The settings of each stack by its name, which tests give as ``pytest.mark.site(name)``."""


@dataclass(frozen=True, slots=True)
class Site:
    """A running stack and its administrator."""

    stack: Stack
    accounts: Administration


@asynccontextmanager
async def running(kafka: str, directory: Path, environment: Mapping[str, str]) -> AsyncIterator[Site]:
    """Run a stack with topics of its own."""
    with own_prefix(kafka) as prefix:
        stack = Stack(
            StackOptions(
                directory, kafka_bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS, environment=environment
            )
        )
        await asyncio.to_thread(stack.start)
        try:
            async with administration(KafkaConnection(kafka), prefix, stack.secrets) as accounts:
                yield Site(stack, accounts)
        finally:
            await asyncio.to_thread(stack.stop)
            await asyncio.to_thread(shutil.copytree, stack.logs, LOGS / directory.name, dirs_exist_ok=True)


def errors_of(stack: Stack) -> list[str]:
    """Return what the services of a stack logged as errors of their own."""
    lines = [line for log in sorted(stack.logs.glob("*.log")) for line in log.read_text().splitlines()]
    return [line for line in lines if '"level": "error"' in line and '"logger": "services.' in line]


@asynccontextmanager
async def played(site: Site, browser: Browser) -> AsyncIterator[Scenario]:
    """Give a test its scenario, and check at the end that no browser's console has an error."""
    scenario = Scenario(site.stack, browser, site.accounts)
    async with scenario.exits:
        yield scenario
    assert scenario.console_errors.unexpected() == []
