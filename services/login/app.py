"""Wires the login service; the only place that knows all its parts."""

from datetime import timedelta
from functools import partial

from protocol.agreement import AgreementPrivateKey
from services.common.dead_letters import DeadLetters
from services.common.edge import Edge
from services.common.health import Health
from services.common.keys import SigningKeys, load_agreement_keys, load_secret, load_signing_keys
from services.common.owner import Owner
from services.common.publisher import Publisher
from services.common.runtime import Instance
from services.common.sealing import load_sealer
from services.common.stream_app import make_stream_app, stream_topics
from services.common.sweep import Sweeper
from services.login.account_page import AccountPage
from services.login.adding_methods import AddingMethods
from services.login.agents import READS, declare_agents
from services.login.catch_up import CatchUp
from services.login.changing_password import PasswordPage
from services.login.code_checks import CodeChecks
from services.login.cookies import Cookies
from services.login.deliveries import Deliveries
from services.login.desk import Desk
from services.login.domain.decide import decide
from services.login.domain.guesses import decide_guess
from services.login.domain.rules import Pauses, Rules
from services.login.enrolling import EnrolmentForms
from services.login.enrolment_codes import EnrolmentCodes
from services.login.entering_codes import CodeForm
from services.login.events import Events
from services.login.guess_counts import GuessCounts
from services.login.hashing import HashingThreads
from services.login.letters import Letters
from services.login.notices import notice_reader
from services.login.owners import Owners
from services.login.pages import Pages
from services.login.passwords import Passwords
from services.login.places import Places
from services.login.recovery_codes import RecoveryCodes
from services.login.settings import LoginSettings
from services.login.signing_in import SignInForms
from services.login.sweep import MOST_AT_ONCE, quiet_sources
from services.login.tables import accounts_table, accounts_view, guesses_table, guesses_view
from services.login.visits import Visits
from services.login.web import LoginWeb

SERVICE = "login"


def make_instance(settings: LoginSettings) -> Instance:
    """Wire one instance."""
    directory = settings.secrets_directory
    signing_keys = load_signing_keys(directory, SERVICE)
    agreement_keys = load_agreement_keys(directory, SERVICE)
    phrase_key = load_secret(directory, "phrase")
    app = make_stream_app(SERVICE, settings)
    publisher = Publisher(settings.kafka_bootstrap, settings.topic_prefix, SERVICE)
    edge = Edge(publisher, settings.topic_prefix, SERVICE)
    rules = make_rules(settings, signing_keys, agreement_keys.active)
    owner = Owner(accounts_table(app, settings), partial(decide, rules=rules), edge, publisher)
    guesses = Owner(guesses_table(app, settings), partial(decide_guess, rules=rules), edge, publisher)
    declare_agents(app, stream_topics(app, settings, READS), owner, guesses)
    view = accounts_view(settings.kafka_bootstrap, settings.topic_prefix)
    guesses_seen = guesses_view(settings.kafka_bootstrap, settings.topic_prefix)
    deliveries = Deliveries(settings.kafka_bootstrap, settings.topic_prefix)
    health = Health(app, publisher, [view, guesses_seen], edge)
    cookies = Cookies(load_secret(directory, "cookies"), secure=settings.url.startswith("https://"))
    visits = Visits(view, deliveries, cookies, Places(settings.geoip_database), settings)
    desk = Desk(
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
    owners = Owners(desk)
    page = AccountPage(desk, owners, settings.login_seconds)
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
        events=Events(view, deliveries, settings.most_waiting),
        catch_up=CatchUp(view, cookies),
        signing_keys=signing_keys,
    ).make(health, settings.url)
    letters = Letters(settings.product_name, settings.url, settings.mail_from, enrolment_codes)
    notices = notice_reader(settings, letters, DeadLetters(publisher, settings.topic_prefix, SERVICE))
    sweeper = Sweeper("guesses", partial(quiet_sources, guesses_seen), publisher, most_at_once=MOST_AT_ONCE)
    tasks = (deliveries.run, notices.run, sweeper.run)
    return Instance(SERVICE, settings, app, publisher, [view, guesses_seen], edge, health, web, tasks)


def make_rules(settings: LoginSettings, signing_keys: SigningKeys, agreement: AgreementPrivateKey) -> Rules:
    """Return the rules that the settings describe."""
    return Rules(
        issuer=settings.issuer,
        service_name=settings.product_name,
        key=signing_keys.active,
        accepted_keys=signing_keys.thumbprints,
        agreement_key=agreement.public,
        seal_key=load_secret(settings.secrets_directory, "phrase"),
        number_key=load_secret(settings.secrets_directory, "numbers"),
        number_matching=settings.number_matching,
        enrolment=settings.enrolment,
        prompt_lifetime=timedelta(seconds=settings.prompt_seconds),
        most_prompts=settings.most_prompts,
        prompt_window=timedelta(seconds=settings.prompt_window_seconds),
        refusals=_pauses(settings.refusals, settings.refusal_pause_seconds, settings.longest_refusal_pause_seconds),
        login_lifetime=timedelta(seconds=settings.login_seconds),
        session_lifetime=timedelta(seconds=settings.session_seconds),
        idle_lifetime=timedelta(seconds=settings.session_idle_seconds),
        confirmation_lifetime=timedelta(seconds=settings.confirmation_seconds),
        remember_lifetime=timedelta(days=settings.remember_days),
        passwords=_pauses(settings.password_tries, settings.first_pause_seconds, settings.longest_pause_seconds),
        addresses=_pauses(settings.address_tries, settings.first_pause_seconds, settings.longest_pause_seconds),
        codes=_pauses(settings.code_tries, settings.code_pause_seconds, settings.longest_code_pause_seconds),
        pairing_tries=settings.pairing_tries,
        pairing_pause=timedelta(seconds=settings.pairing_pause_seconds),
    )


def _pauses(tries: int, first_seconds: int, longest_seconds: int) -> Pauses:
    return Pauses(tries, timedelta(seconds=first_seconds), timedelta(seconds=longest_seconds))
