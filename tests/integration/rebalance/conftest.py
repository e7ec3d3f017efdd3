"""Groups of workers for the tests of this folder."""

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
    """Give the topics of one group, provisioned."""
    ledger = Ledger(kafka, topic_prefix, Plan.partitions)
    await ledger.provision()
    return ledger


@pytest.fixture
async def make_group(ledger: Ledger, tmp_path: Path) -> AsyncIterator[MakeGroup]:
    """Give a function that makes a group whose workers follow a plan; what runs afterwards is ended."""
    async with AsyncExitStack() as stack:

        def make(**plan: Any) -> Group:
            group = Group(Plan(ledger.bootstrap, ledger.prefix, **plan), tmp_path)
            stack.push_async_callback(group.stop)
            return group

        yield make
