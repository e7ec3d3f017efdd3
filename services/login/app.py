"""Wires the login service; the only place that knows all its parts."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from services.common.instance.health import Health
from services.common.instance.instance_metrics import CapacityGauge, InstanceMetrics
from services.common.instance.runtime import ServiceInstance
from services.common.kafka.dead_letters import DeadLetterWriter
from services.common.kafka.kafka_watch import KafkaWatch
from services.common.kafka.publisher import Publisher
from services.common.keys.keys import load_agreement_keys, load_secret, load_signing_keys
from services.common.keys.sealing import load_sealer
from services.common.rows.sweep import Sweeper
from services.common.rows.view import View
from services.common.streams.app import make_stream_app, stream_topics
from services.common.streams.processor import TableProcessor
from services.common.streams.record_guard import RecordGuard
from services.common.telemetry.telemetry import make_telemetry
from services.login.account.methods import AddingMethods
from services.login.account.page import AccountPage
from services.login.account.password import PasswordPage
from services.login.agents import READS, declare_agents
from services.login.codes.checks import CodeChecks
from services.login.codes.forms import CodeForm
from services.login.codes.recovery_codes import RecoveryCodes
from services.login.domain.decide import decide
from services.login.domain.guesses import decide_guess
from services.login.emails.builder import EmailBuilder
from services.login.emails.sender import email_reader
from services.login.metrics import AccountTally
from services.login.pairing.enrolment_codes import EnrolmentCodes
from services.login.pairing.forms import EnrolmentForms
from services.login.places import Places
from services.login.routes import LoginWeb
from services.login.rules import make_rules
from services.login.settings import LoginSettings
from services.login.sign_in.forms import SignInForms
from services.login.sign_in.guess_counts import GuessCounts
from services.login.sign_in.hashing import HashingThreads
from services.login.sign_in.passwords import Passwords
from services.login.sweep import MOST_AT_ONCE, forget_quiet
from services.login.tables import accounts_table, accounts_view, guesses_table, guesses_view
from services.login.web.context import ContextLoader
from services.login.web.cookies import Cookies
from services.login.web.events import Events
from services.login.web.forms import Forms
from services.login.web.pages import Pages
from services.login.web.read_your_writes import ReadYourWrites
from services.login.web.receipts import Receipts
from services.login.web.signed_in import SignedInUsers

SERVICE = "login"


def make_instance(settings: LoginSettings) -> ServiceInstance:
    """Wire one instance."""
    directory = settings.secrets_directory
    signing_keys = load_signing_keys(directory, SERVICE)
    agreement_keys = load_agreement_keys(directory, SERVICE)
    phrase_key = load_secret(directory, "phrase")
    telemetry = make_telemetry(SERVICE, settings)
    metrics = telemetry.metrics
    app = make_stream_app(SERVICE, settings)
    publisher = Publisher(settings.kafka_bootstrap, settings.topic_prefix, SERVICE, telemetry.tracing)
    edge = RecordGuard(publisher, settings.topic_prefix, SERVICE, telemetry)
    rules = make_rules(settings, signing_keys, agreement_keys.active)
    tally = AccountTally(metrics).count
    owner = TableProcessor(accounts_table(app, settings), partial(decide, rules=rules), edge, publisher, metrics, tally)
    guesses = TableProcessor(guesses_table(app, settings), partial(decide_guess, rules=rules), edge, publisher, metrics)
    declare_agents(app, stream_topics(app, settings, READS), owner, guesses)
    kept = settings.views_directory_of(SERVICE)
    view = accounts_view(settings.kafka_bootstrap, settings.topic_prefix, kept)
    guesses_seen = guesses_view(settings.kafka_bootstrap, settings.topic_prefix, kept)
    deliveries = Receipts(settings.kafka_bootstrap, settings.topic_prefix)
    views: Sequence[View[Any]] = (view, guesses_seen)
    kafka = KafkaWatch(publisher, settings.kafka_bootstrap, settings.topic_prefix, settings.partitions)
    health = Health(app, kafka, views, edge)
    cookies = Cookies(load_secret(directory, "cookies"), secure=settings.url.startswith("https://"))
    visits = ContextLoader(view, deliveries, cookies, Places(settings.geoip_database), settings)
    desk = Forms(
        pages=Pages(settings, cookies),
        visits=visits,
        cookies=cookies,
        rules=rules,
        accounts=view,
        publisher=publisher,
    )
    enrolment_codes = EnrolmentCodes(load_secret(directory, "enrolment"))
    threads = HashingThreads(settings.most_hashing)
    recovery_codes = RecoveryCodes(threads)
    checks = CodeChecks(agreement_keys, load_sealer(directory, SERVICE), recovery_codes)
    passwords = Passwords(threads)
    owners = SignedInUsers(desk)
    page = AccountPage(desk, owners, settings.login_seconds)
    events = Events(view, deliveries, settings.most_waiting)
    web = LoginWeb(
        desk=desk,
        enrolment=EnrolmentForms(desk, enrolment_codes, phrase_key),
        codes=CodeForm(desk, checks),
        parts=(
            SignInForms(desk, passwords, GuessCounts(guesses_seen, publisher), settings.login_seconds),
            page,
            AddingMethods(desk, owners, page, checks, recovery_codes),
            PasswordPage(desk, owners, page, passwords),
        ),
        events=events,
        catch_up=ReadYourWrites(view, cookies),
        signing_keys=signing_keys,
    ).make(health, telemetry, settings.url)
    letters = EmailBuilder(settings.product_name, settings.url, settings.mail_from, enrolment_codes)
    notices = email_reader(settings, letters, DeadLetterWriter(publisher, settings.topic_prefix, SERVICE, metrics))
    sweeper = Sweeper("guesses", guesses_seen, forget_quiet, publisher, most_at_once=MOST_AT_ONCE)
    tasks = (deliveries.run, notices.run, sweeper.run)
    room = CapacityGauge("event_streams", "Pages that wait.", lambda: events.count, settings.most_waiting)
    metrics.registry.register(InstanceMetrics(settings.topic_prefix, app, health, views, [notices], [room]))
    return ServiceInstance(SERVICE, settings, app, publisher, kafka, views, edge, health, web, telemetry, tasks)
