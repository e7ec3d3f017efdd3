"""Wires the push service; the only module that imports all of it."""

from services.common.instance.base import Base
from services.common.instance.instance_metrics import CapacityGauge
from services.common.instance.runtime import ServiceInstance
from services.common.keys.keys import load_secret
from services.common.settings import read_networks
from services.common.web.device_requests import CORS, Nonces, SignedRequestVerifier
from services.common.web.proxies import PROXIES, Proxies
from services.common.web.web import make_web, render_problem
from services.push.answers import Answers
from services.push.feed import ChallengeFeed
from services.push.issuers import IssuerKeys
from services.push.routes import routes
from services.push.settings import PushSettings
from services.push.sockets import Sockets
from services.push.tables import CHANNELS, TOPOLOGY
from services.push.web import PushWeb, content_security_policy


def make_instance(settings: PushSettings) -> ServiceInstance:
    """Wire one instance."""
    base = Base(TOPOLOGY, settings)
    channels = base.view(CHANNELS)
    verifier = SignedRequestVerifier(Nonces(load_secret(settings.secrets_directory, "push-nonce")), settings.url)
    feed = ChallengeFeed(base.connection, settings.topic_prefix, channels)
    sockets = Sockets(verifier=verifier, channels=channels, feed=feed, publisher=base.publisher, settings=settings)
    issuers = IssuerKeys((settings.pairing_url, *settings.issuer_urls))
    web_side = PushWeb(settings, verifier, Answers(feed, issuers, base.publisher))
    policy = content_security_policy(settings)
    application = make_web(base.health, base.telemetry, render_problem, policy, CORS)
    application[PROXIES] = Proxies(read_networks(settings.trusted_networks))
    application.add_routes(routes(web_side, sockets, verifier))
    application.on_shutdown.append(sockets.close_all)
    connected = CapacityGauge(
        "device_sockets", "Devices that are connected.", lambda: sockets.count, settings.most_sockets
    )
    return base.instance(application, (feed.run,), capacities=(connected,))
