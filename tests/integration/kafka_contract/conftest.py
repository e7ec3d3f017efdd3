"""Fixtures: the backends of the contract."""

import pytest

from tests.integration.kafka_contract.backends import Backend, KafkaBackend, SimulatedBackend


@pytest.fixture(params=["simulated", "kafka"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Give the simulated broker, and then a real Kafka."""
    if request.param == "simulated":
        return SimulatedBackend()
    return KafkaBackend(request.getfixturevalue("kafka"), request.getfixturevalue("topic_prefix"))
