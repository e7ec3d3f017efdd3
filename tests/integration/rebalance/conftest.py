"""Fixtures: groups of worker processes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.rebalance.group import Group
from tests.integration.rebalance.ledger import Ledger
from tests.integration.rebalance.worker import Plan

MakeGroup = Callable[..., Group]


@pytest.fixture
async def ledger(kafka: str, topic_prefix: str) -> Ledger:
    """Provide the topics of one group, provisioned."""
    ledger = Ledger(kafka, topic_prefix, Plan.partitions)
    await ledger.provision()
    return ledger


@pytest.fixture
async def make_group(ledger: Ledger, tmp_path: Path) -> AsyncIterator[MakeGroup]:
    """Provide a function that creates a group of workers with a plan; the fixture stops them at its end."""
    async with AsyncExitStack() as stack:

        def make(**plan: Any) -> Group:
            group = Group(Plan(ledger.bootstrap, ledger.prefix, **plan), tmp_path)
            stack.push_async_callback(group.stop)
            return group

        yield make
