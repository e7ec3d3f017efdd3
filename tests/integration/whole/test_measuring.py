"""What is measured is real: seeded people sign in, wait on open streams, and services start from seeded changelogs."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.measure.__main__ import seed_stack
from deploy.measure.people import People
from deploy.measure.reports import starts_report, waiting_report
from deploy.measure.seeds import Seed
from deploy.measure.starts import Disk, measure_starts
from deploy.measure.waiting import Measurement
from deploy.stack import READY_TIMEOUT_SECONDS, Stack, StackOptions
from tests.broker import PARTITIONS
