"""An event in another partition than its key's is a dead letter; sent again, it goes to the right one."""

from collections.abc import Callable

from aiokafka import AIOKafkaProducer

from deploy.local.instance_process import InstanceProcess
from deploy.local.stack import Stack
from operations.dead_letters import dead_letter_queue
from schemas.codec import Event, encode
from services.common.clock import new_id, now
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.partitions import partition_of
from services.login.admin import administration
from tests.broker import PARTITIONS
from tests.builders import a_digest
from tests.integration.services.wire import Wire
from tests.polling import eventually
from tests.session_messages import an_opening


async def test_an_owner_dead_letters_a_misrouted_event(
    run: Callable[[str], InstanceProcess], stack: Stack, kafka: str, wire: Wire
) -> None:
    run("login")
    account_id = new_id()
    opening = an_opening(now(), account_id=account_id, name_digest=a_digest(account_id))
    record = encode(Event(new_id(), now(), "test/web", "", opening))
    home = partition_of(account_id.encode(), PARTITIONS)
    other = (home + 1) % PARTITIONS
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        topic = f"{wire.prefix}{record.topic}"
        await producer.send_and_wait(topic, record.value, record.key, other, headers=record.headers)

    letter = await wire.dead_letter(record.topic, record.key)
    reason = f"the record is in partition {other}, but its key belongs to {home} of {PARTITIONS}"
    assert dict(letter.headers)["dlq_reason"] == reason.encode()
    async with (
        administration(KafkaConnection(kafka), wire.prefix, stack.secrets) as accounts,
        dead_letter_queue(KafkaConnection(kafka), wire.prefix) as queue,
    ):
        assert accounts.view.get(account_id) is None
        (found,) = await queue.letters()
        await queue.retry(found)
        await eventually(lambda: accounts.view.get(account_id) is not None, "the account is not made")
