"""More partitions beneath people with phones and open sessions: keys stay with their rows, over an interruption."""

import asyncio
import subprocess
import sys
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner, Result

from cli.__main__ import app
from deploy.local.ports import free_port
from deploy.local.stack import SERVICES, Stack, StackOptions
from operations.deployment import ALL, CHANGELOGS
from schemas.topics import LOGIN_COMMANDS
from services.common.kafka.partitions import is_part, partition_of
from services.common.rows.fence import is_mark
from tests.builders import present
from tests.integration.whole.acting import a_person
from tests.polling import eventually

FEW, MANY = 4, 7
REFUSED = 1


def words(stack: Stack, partitions: int, *options: str) -> list[str]:
    """Return the words behind `countersign`."""
    where = [f"--kafka={stack.bootstrap}", f"--topic-prefix={stack.topic_prefix}"]
    return ["topics", "repartition", f"--partitions={partitions}", "--yes", *where, *options]


async def run(stack: Stack, partitions: int, *options: str) -> Result:
    """Run it to its end; it has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, words(stack, partitions, *options))


def kill_after_the_first_changelog(stack: Stack) -> str:
    """Run it, and end it with SIGKILL once it has moved the first changelog's rows; return its output until then."""
    output = ""
    command = [sys.executable, "-u", "-m", "cli", *words(stack, MANY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in present(process.stdout):
            output += line
            if "rows moved and verified" in line:
                process.kill()
    assert process.returncode == -9, output
    return output


async def counts(stack: Stack) -> dict[str, int]:
    """Return how many partitions each topic has, by its name without the prefix."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap)
    await admin.start()
    described = await admin.describe_topics([stack.topic_prefix + topic.name for topic in ALL])
    await admin.close()
    return {each["topic"].removeprefix(stack.topic_prefix): len(each["partitions"]) for each in described}


async def send_nonsense(stack: Stack) -> None:
    """Leave a record that no service has read."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap)
    await producer.start()
    await producer.send_and_wait(f"{stack.topic_prefix}{LOGIN_COMMANDS.name}", b"nonsense", b"nobody")
    await producer.stop()


async def places_of_rows(stack: Stack) -> dict[str, Counter[bool]]:
    """Return, for each changelog, how many rows' last records are in their key's home and how many elsewhere."""
    found = {}
    for topic in CHANGELOGS:
        rows: dict[tuple[bytes, int], bytes | None] = {}
        consumer = AIOKafkaConsumer(
            f"{stack.topic_prefix}{topic.name}", bootstrap_servers=stack.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        ends = await consumer.end_offsets(list(consumer.assignment()))
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                rows.update({(record.key, record.partition): record.value for record in records})
        await consumer.stop()
        homes = Counter(
            partition_of(key, len(ends)) == place
            for (key, place), value in rows.items()
            if value is not None and not is_mark(key) and not is_part(key)
        )
        found[topic.name] = homes
    return found


async def test_keys_stay_with_their_rows_when_the_topics_get_more_partitions(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    ports = {service: free_port() for service in SERVICES}

    def a_stack(partitions: int) -> Stack:
        return Stack(
            StackOptions(tmp_path, ports=ports, kafka_bootstrap=kafka, topic_prefix=topic_prefix, partitions=partitions)
        )

    old, new = a_stack(FEW), a_stack(MANY)
    await asyncio.to_thread(old.apply_topics)
    await send_nonsense(old)
    await assert_refused(old, MANY, "records are unread")
    await assert_refused(old, FEW - 1, "Kafka cannot remove partitions")
    async with AsyncExitStack() as here:
        await asyncio.to_thread(old.start)
        here.callback(old.stop)
        people = [await here.enter_async_context(a_person(old)) for _ in range(3)]
        for person in people:
            await person.first_sign_in()
        await assert_refused(old, MANY, "instances run")
        await asyncio.to_thread(old.stop)

        dry = await run(old, MANY, "--dry-run")
        assert (dry.exit_code, dry.stderr) == (0, "")
        assert "Nothing was changed." in dry.stdout
        assert await counts(old) == dict.fromkeys(await counts(old), FEW)

        await asyncio.to_thread(kill_after_the_first_changelog, old)
        half_way = await counts(old)
        assert {half_way[topic.name] for topic in CHANGELOGS} == {MANY}
        assert half_way["auth.challenge"] == FEW
        for stack in (old, new):
            await assert_refuses_to_serve(stack, "login")

        done = await run(old, MANY)
        assert (done.exit_code, done.stderr) == (0, ""), done
        assert "an earlier run was interrupted" in done.stdout
        assert await counts(old) == dict.fromkeys(half_way, MANY)
        places = await places_of_rows(old)
        assert places["login-accounts-changelog"] == {True: len(people)}
        assert {place for each in places.values() for place in each} == {True}
        await assert_refuses_to_serve(old, "push")

        here.callback(new.stop)
        await asyncio.to_thread(new.start)
        for person in people:
            await person.browser.open("/account")
            assert person.browser.path == "/account", "the session is still open"
            await person.sign_out()
            await person.sign_in()
        again = await run(old, MANY)
        assert (again.exit_code, "instances run" in again.stderr) == (REFUSED, True)


async def assert_refused(stack: Stack, partitions: int, why: str) -> None:
    """Check that it is refused for this reason, and that nothing was changed."""
    before = await counts(stack)
    refused = await run(stack, partitions)
    assert refused.exit_code == REFUSED, refused
    assert why in refused.stderr
    assert refused.stderr.endswith("Nothing was changed.\n")
    assert await counts(stack) == before


async def assert_refuses_to_serve(stack: Stack, name: str) -> None:
    """Check that an instance ends by itself, with one line that says why."""
    instance = stack.instances[name]
    instance.start()
    await eventually(lambda: instance.exit_code is not None, "it goes on")
    lines = [line for line in instance.log_path.read_text().splitlines() if '"error"' in line]
    assert instance.exit_code == 2, lines
    assert len(lines) == 1
    assert '"event": "cannot serve"' in lines[0]
