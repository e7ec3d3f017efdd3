"""Wires the login service; the only place that knows all its parts."""

from datetime import timedelta
from functools import partial

from services.common.dead_letters import DeadLetters
from services.common.edge import Edge
from services.common.health import Health
from services.common.keys import SigningKeys, load_secret, load_signing_keys
from services.common.owner import Owner
from services.common.publisher import Publisher
from services.common.runtime import Instance
from services.common.stream_app import make_stream_app, stream_topics
from services.login.agents import READS, declare_agents
from services.login.catch_up import CatchUp
from services.login.cookies import Cookies
from services.login.deliveries import Deliveries
from services.login.domain.decide import decide
from services.login.domain.rules import Rules
from services.login.enrolment_codes import EnrolmentCodes
from services.login.events import Events
from services.login.forms import Forms
from services.login.hashing import HashingThreads
from services.login.letters import Letters
from services.login.notices import notice_reader
from services.login.pages import Pages
from services.login.passwords import Passwords
from services.login.settings import LoginSettings
from services.login.tables import accounts_table, accounts_view
from services.login.visits import Visits
from services.login.web import LoginWeb

SERVICE = "login"


def make_instance(settings: LoginSettings) -> Instance:
    """Wire one instance."""
    signing_keys = load_signing_keys(settings.secrets_directory, SERVICE)
    phrase_key = load_secret(settings.secrets_directory, "phrase")
    app = make_stream_app(SERVICE, settings)
    publisher = Publisher(settings.kafka_bootstrap, settings.topic_prefix, SERVICE)
    edge = Edge(publisher, settings.topic_prefix, SERVICE)
    rules = make_rules(settings, signing_keys, phrase_key)
    owner = Owner(accounts_table(app, settings), partial(decide, rules=rules), edge, publisher)
    declare_agents(app, stream_topics(app, settings, READS), owner)
    view = accounts_view(settings.kafka_bootstrap, settings.topic_prefix)
    deliveries = Deliveries(settings.kafka_bootstrap, settings.topic_prefix)
    health = Health(app, publisher, [view], edge)
    cookies = Cookies(load_secret(settings.secrets_directory, "cookies"), secure=settings.url.startswith("https://"))
    visits = Visits(view, deliveries, cookies, settings.trusted_proxies)
    pages = Pages(settings, cookies)
    forms = Forms(
        pages=pages,
        visits=visits,
        cookies=cookies,
        accounts=view,
        publisher=publisher,
        passwords=Passwords(HashingThreads(settings.most_hashing)),
        phrase_key=phrase_key,
        login_seconds=settings.login_seconds,
    )
    events = Events(view, deliveries, settings.most_waiting)
    web = LoginWeb(
        pages=pages,
        visits=visits,
        forms=forms,
        events=events,
        catch_up=CatchUp(view, cookies),
        signing_keys=signing_keys,
        seconds=settings.session_seconds,
    ).make(health)
    enrolment_codes = EnrolmentCodes(load_secret(settings.secrets_directory, "enrolment"))
    letters = Letters(settings.product_name, settings.url, settings.mail_from, enrolment_codes)
    notices = notice_reader(settings, letters, DeadLetters(publisher, settings.topic_prefix, SERVICE))
    return Instance(SERVICE, settings, app, publisher, [view], edge, health, web, (deliveries.run, notices.run))


def make_rules(settings: LoginSettings, signing_keys: SigningKeys, seal_key: bytes) -> Rules:
    """Return the rules that the settings describe."""
    return Rules(
        issuer=settings.issuer,
        service_name=settings.product_name,
        key=signing_keys.active,
        accepted_keys=signing_keys.thumbprints,
        seal_key=seal_key,
        prompt_lifetime=timedelta(seconds=settings.prompt_seconds),
        login_lifetime=timedelta(seconds=settings.login_seconds),
        session_lifetime=timedelta(seconds=settings.session_seconds),
        password_tries=settings.password_tries,
        first_pause=timedelta(seconds=settings.first_pause_seconds),
        longest_pause=timedelta(seconds=settings.longest_pause_seconds),
        pairing_tries=settings.pairing_tries,
        pairing_pause=timedelta(seconds=settings.pairing_pause_seconds),
    )
