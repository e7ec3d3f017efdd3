"""Changes settings of topics as an operator does by mistake."""

from operations.alter_configs import alter_topic_settings
from services.common.kafka.connection import KafkaConnection


async def set_topic_setting(connection: KafkaConnection, topic: str, setting: str, value: str) -> None:
    """Set one setting of a topic, by full name."""
    client = connection.client()
    await connection.start_client(client)
    try:
        assert await alter_topic_settings(client, {topic: {setting: value}}) == {}
    finally:
        await client.close()
