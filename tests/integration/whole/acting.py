"""A person with a computer and a phone on the whole stack."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.local.stack import Stack
from lab.testkit.person import Person
from services.login.admin import administration
from tests.accounts import add_account
from tests.polling import DEADLINE_SECONDS

PASSWORD = "correct horse battery"


@asynccontextmanager
async def a_person(stack: Stack, computer: str = "login", phone: str = "push") -> AsyncIterator[Person]:
    """Give a person with a new account and an unpaired phone, at these instances."""
    name = f"p{uuid.uuid4().hex[:8]}"
    async with administration(stack.connection, stack.topic_prefix, stack.secrets) as accounts:
        await add_account(accounts, stack.urls[computer], stack.secrets, name, PASSWORD)
    async with Person.at(
        stack.urls[computer], stack.urls[phone], name, PASSWORD, patience_seconds=DEADLINE_SECONDS
    ) as person:
        yield person
