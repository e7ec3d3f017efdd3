"""Wires the push service; the only place that knows all its parts."""

from services.common.instance.health import Health
from services.common.instance.instance_metrics import CapacityGauge, InstanceMetrics
from services.common.instance.runtime import ServiceInstance
from services.common.kafka.kafka_watch import KafkaWatch
from services.common.kafka.publisher import Publisher
from services.common.keys.keys import load_secret
from services.common.streams.app import make_stream_app, stream_topics
from services.common.streams.processor import TableProcessor
from services.common.streams.record_guard import RecordGuard
from services.common.streams.relay import Relay
from services.common.telemetry.telemetry import make_telemetry
from services.common.web.device_requests import SignedRequestVerifier
from services.common.web.nonces import Nonces
from services.push.agents import READS, declare_agents
from services.push.domain.channel import decide
from services.push.domain.unpaired import pass_unpaired_on
from services.push.metrics import ChallengeTally
from services.push.settings import PushSettings
from services.push.sockets import Sockets
from services.push.tables import channels_table, channels_view
from services.push.web import PushWeb

SERVICE = "push"


def make_instance(settings: PushSettings) -> ServiceInstance:
    """Wire one instance."""
    telemetry = make_telemetry(SERVICE, settings)
    metrics = telemetry.metrics
    app = make_stream_app(SERVICE, settings)
    publisher = Publisher(settings.kafka_bootstrap, settings.topic_prefix, SERVICE, telemetry.tracing)
    edge = RecordGuard(publisher, settings.topic_prefix, SERVICE, telemetry)
    owner = TableProcessor(
        channels_table(app, settings), decide, edge, publisher, metrics, ChallengeTally(metrics).count
    )
    unpaired = Relay("unpaired", pass_unpaired_on, edge, publisher)
    declare_agents(app, stream_topics(app, settings, READS), owner, unpaired)
    view = channels_view(settings)
    kafka = KafkaWatch(publisher, settings.kafka_bootstrap, settings.topic_prefix, settings.partitions)
    health = Health(app, kafka, [view], edge)
    gate = SignedRequestVerifier(Nonces(load_secret(settings.secrets_directory, "push-nonce")), settings.url)
    sockets = Sockets(gate, view, publisher, settings.most_sockets)
    web = PushWeb(settings, gate, view, publisher, sockets, telemetry.tracing).make(health, telemetry)
    room = CapacityGauge("device_sockets", "Devices that are connected.", lambda: sockets.count, settings.most_sockets)
    metrics.registry.register(InstanceMetrics(settings.topic_prefix, app, health, [view], capacities=[room]))
    return ServiceInstance(SERVICE, settings, app, publisher, kafka, [view], edge, health, web, telemetry)
