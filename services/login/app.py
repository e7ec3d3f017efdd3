"""Wires the login service; the only module that imports all of it."""

from services.common.instance.base import Base
from services.common.instance.instance_metrics import CapacityGauge
from services.common.instance.runtime import ServiceInstance
from services.common.keys.keys import load_agreement_keys, load_secret, load_signing_keys
from services.common.keys.peppers import load_peppers
from services.common.keys.sealing import load_sealer
from services.common.settings import read_networks
from services.common.web.proxies import PROXIES, Proxies
from services.common.web.web import make_web
from services.login.account.methods import MethodForms
from services.login.account.page import AccountPage
from services.login.account.password import PasswordForms
from services.login.codes.checks import CodeChecks
from services.login.codes.forms import CodeForms
from services.login.codes.recovery_codes import RecoveryCodes
from services.login.directory import NAME_KEY, Directory
from services.login.domain.policy import Policy
from services.login.emails.builder import EmailBuilder
from services.login.emails.sender import email_reader
from services.login.pairing.enrolment_codes import EnrolmentCodes
from services.login.pairing.forms import PairingForms
from services.login.places import Places
from services.login.routes import Handlers, routes
from services.login.settings import LoginSettings
from services.login.sign_in.forms import SignInForms
from services.login.sign_in.guess_counts import GuessCounts
from services.login.sign_in.password_policy import load_policy
from services.login.sign_in.passwords import HashingThreads, Passwords
from services.login.signer import make_signer
from services.login.tables import ACCOUNTS, GUESSES, NAMES, TOPOLOGY
from services.login.web.context import ContextLoader
from services.login.web.cookies import Cookies
from services.login.web.events import Events
from services.login.web.forms import Forms
from services.login.web.pages import CONTENT_SECURITY_POLICY, Pages
from services.login.web.read_your_writes import ReadYourWrites
from services.login.web.receipts import Receipts


def make_instance(settings: LoginSettings) -> ServiceInstance:
    """Wire one instance."""
    secrets, limits, service = settings.secrets_directory, settings.limits, TOPOLOGY.service
    signing_keys, agreement_keys = load_signing_keys(secrets, service), load_agreement_keys(secrets, service)
    policy = Policy(limits, make_signer(settings, signing_keys, agreement_keys.active))
    base = Base(TOPOLOGY, settings, policy)
    accounts = base.view(ACCOUNTS)
    receipts = Receipts(base.connection, settings.topic_prefix)
    cookies = Cookies(load_secret(secrets, "cookies"), secure=settings.url.startswith("https://"))
    pages = Pages(settings, cookies)
    contexts = ContextLoader(accounts, cookies, Places(settings.geoip_database), limits, settings.trusted_proxies)
    forms = Forms(
        pages=pages,
        contexts=contexts,
        cookies=cookies,
        policy=policy,
        accounts=accounts,
        publisher=base.publisher,
    )
    enrolment_codes = EnrolmentCodes(load_secret(secrets, "enrolment"))
    threads = HashingThreads(settings.most_hashing)
    peppers = load_peppers(secrets, service)
    recovery_codes, passwords = RecoveryCodes(threads, peppers), Passwords(threads, peppers)
    checks = CodeChecks(agreement_keys, load_sealer(secrets, service), recovery_codes)
    directory = Directory(load_secret(secrets, NAME_KEY), base.view(NAMES), accounts)
    guesses = GuessCounts(directory.key, base.view(GUESSES), base.publisher)
    account_page = AccountPage(forms)
    password_policy = load_policy(settings.product_name, settings.forbidden_words, settings.breached_passwords)
    events = Events(accounts, receipts, cookies, limits, settings.most_waiting)
    handlers = Handlers(
        sign_in=SignInForms(forms, directory, passwords, guesses, receipts),
        pairing=PairingForms(forms, enrolment_codes, load_secret(settings.shared_secrets, "phrase"), receipts),
        codes=CodeForms(forms, checks),
        account=account_page,
        methods=MethodForms(forms, account_page, checks, recovery_codes),
        password=PasswordForms(forms, account_page, passwords, password_policy),
        events=events,
        signing_keys=signing_keys,
    )
    application = make_web(base.health, base.telemetry, pages.render_error, CONTENT_SECURITY_POLICY)
    application[PROXIES] = Proxies(read_networks(settings.trusted_networks))
    application.add_routes(routes(handlers))
    ReadYourWrites(accounts, cookies).install(application)
    application.on_shutdown.append(events.close_all)
    builder = EmailBuilder(settings.product_name, settings.url, settings.mail_from, enrolment_codes)
    emails = email_reader(base.connection, settings, builder, base.dead_letters)
    streams = CapacityGauge(
        "event_streams", "Waiting pages that are open.", lambda: events.count, settings.most_waiting
    )
    return base.instance(application, tasks=(receipts.run, emails.run), readers=(emails,), capacities=(streams,))
