"""Fixtures: a phone connected to fake services."""

from collections.abc import AsyncIterator

import pytest

from authenticator.device.phone import VirtualPhone
from tests.component.device.builders import QUICK, pair
from tests.component.device.fake_services import FakeServices, fake_services


@pytest.fixture
async def services() -> AsyncIterator[FakeServices]:
    """Serve the fake services."""
    async with fake_services() as services:
        yield services


@pytest.fixture
async def new_phone(services: FakeServices) -> AsyncIterator[VirtualPhone]:
    """Connect a phone without accounts."""
    async with VirtualPhone.in_memory(services.origin, "Pixel 9", timing=QUICK) as phone:
        await phone.connected()
        yield phone


@pytest.fixture
async def phone(services: FakeServices, new_phone: VirtualPhone) -> VirtualPhone:
    """Connect a paired phone."""
    await pair(services, new_phone)
    return new_phone
