"""What is measured is real: seeded people sign in, wait on open streams, and services start from their changelogs."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from rich.console import Console
from rich.table import Table

from deploy.local.stack import Stack, StackOptions
from lab.load.parallel_build import Plan
from lab.load.people import People
from lab.load.reports import starts_report, waiting_report
from lab.load.seed_keys import Seed
from lab.load.seeding import hash_for, seed_stack
from lab.load.start_times import Disk, measure_starts
from lab.load.waiting import Measurement
from services.common.progress import Progress
from tests.builders import present

PASSWORD = "correct horse battery"
PEOPLE = 50
MEASUREMENT = Measurement(PEOPLE, rounds=1, sign_ins=2, idle_seconds=0.5)


@pytest.fixture(scope="module")
def stack(stack_options: StackOptions) -> Iterator[Stack]:
    """Give a stack with seeded people whose services have not been started; it takes one stream more than people."""
    options = replace(stack_options, environment={"LOGIN_MOST_WAITING": str(PEOPLE + 1)})
    made = Stack(options)
    made.start_kafka()
    yield made
    made.stop()


async def test_seeded_people_wait_and_others_sign_in(stack: Stack) -> None:
    count = MEASUREMENT.needed + 1
    plan = Plan(Seed(), count, count, hash_for(stack, PASSWORD))
    made: list[Progress] = []
    await seed_stack(stack, plan, made.append)
    assert made[-1] == Progress(count, count)
    stack.start_services()
    people = People(stack, Seed(), PASSWORD)
    without, with_all = await MEASUREMENT.run(people, lambda _title, _progress: None)
    for costs in (without, with_all):
        assert len(costs.sign_ins) == 2
        assert all(seconds > 0 for seconds in costs.sign_ins)
        assert (len(costs.cores), len(costs.resident_bytes)) == (1, 1)
    report = shown(waiting_report(PEOPLE, without, with_all))
    assert "50 wait" in report

    present(await people.begin(MEASUREMENT.needed))
    assert await people.begin(MEASUREMENT.needed) is None, "one sign-in waits already"


async def test_a_service_starts_from_its_changelogs_and_tells_how_far_it_is(stack: Stack) -> None:
    stack.stop()
    reasons: list[str] = []
    found = list(measure_starts(stack, ["login"], 1, lambda _progress, reason: reasons.append(reason)))
    assert [(each.service, each.disk) for each in found] == [("login", Disk.COLD), ("login", Disk.WARM)]
    assert all(each.seconds > 0 and each.cpu_seconds > 0 and each.resident_bytes > 0 for each in found)
    assert all(each.disk_bytes > 0 for each in found)
    assert any("login, cold disk: " in each and "read views are catching up: " in each for each in reasons), reasons
    assert "warm" in shown(starts_report(found))


def shown(report: Table) -> str:
    """Return a report as a terminal shows it."""
    console = Console(width=160)
    with console.capture() as captured:
        console.print(report)
    return captured.get()
