"""Wires the pairing service; the only place that knows all its parts."""

from functools import partial

from services.common.instance.health import Health
from services.common.instance.instance_metrics import InstanceMetrics
from services.common.instance.runtime import ServiceInstance
from services.common.kafka.kafka_watch import KafkaWatch
from services.common.kafka.publisher import Publisher
from services.common.keys.keys import load_secret, load_signing_keys
from services.common.rows.sweep import Sweeper
from services.common.streams.app import make_stream_app, stream_topics
from services.common.streams.processor import TableProcessor
from services.common.streams.record_guard import RecordGuard
from services.common.telemetry.telemetry import make_telemetry
from services.common.web.device_requests import SignedRequestVerifier
from services.common.web.nonces import Nonces
from services.pairing.agents import READS, declare_agents
from services.pairing.domain.phrase import decide_phrase
from services.pairing.domain.requester import decide_requester
from services.pairing.rules import make_rules
from services.pairing.settings import PairingSettings
from services.pairing.sweep import MOST_AT_ONCE, forget_ended
from services.pairing.tables import phrases_table, phrases_view, requesters_table, requesters_view
from services.pairing.web import PairingWeb

SERVICE = "pairing"


def make_instance(settings: PairingSettings) -> ServiceInstance:
    """Wire one instance."""
    secrets = settings.secrets_directory
    signing_keys = load_signing_keys(secrets, SERVICE)
    phrase_key = load_secret(secrets, "phrase")
    rules = make_rules(settings, signing_keys, phrase_key)
    telemetry = make_telemetry(SERVICE, settings)
    metrics = telemetry.metrics
    app = make_stream_app(SERVICE, settings)
    publisher = Publisher(settings.kafka_bootstrap, settings.topic_prefix, SERVICE, telemetry.tracing)
    edge = RecordGuard(publisher, settings.topic_prefix, SERVICE, telemetry)
    requesters = TableProcessor(requesters_table(app, settings), decide_requester, edge, publisher, metrics)
    phrases = TableProcessor(
        phrases_table(app, settings), partial(decide_phrase, rules=rules), edge, publisher, metrics
    )
    declare_agents(app, stream_topics(app, settings, READS), requesters, phrases)
    views = (requesters_view(settings), phrases_view(settings))
    kafka = KafkaWatch(publisher, settings.kafka_bootstrap, settings.topic_prefix, settings.partitions)
    health = Health(app, kafka, views, edge)
    gate = SignedRequestVerifier(Nonces(load_secret(secrets, "pairing-nonce")), settings.url)
    web = PairingWeb(
        settings=settings,
        gate=gate,
        requesters=views[0],
        phrases=views[1],
        publisher=publisher,
        signing_keys=signing_keys,
        phrase_key=phrase_key,
    ).make(health, telemetry)
    sweeper = Sweeper("phrases", views[1], forget_ended, publisher, most_at_once=MOST_AT_ONCE)
    metrics.registry.register(InstanceMetrics(settings.topic_prefix, app, health, views))
    return ServiceInstance(
        SERVICE, settings, app, publisher, kafka, views, edge, health, web, telemetry, (sweeper.run,)
    )
