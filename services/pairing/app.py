"""Wires the pairing service; the only module that imports all of it."""

from services.common.instance.base import Base
from services.common.instance.runtime import ServiceInstance
from services.common.keys.keys import load_secret, load_signing_keys
from services.common.settings import read_networks
from services.common.web.device_requests import CORS, Nonces, SignedRequestVerifier
from services.common.web.proxies import PROXIES, Proxies
from services.common.web.web import make_web, render_problem
from services.pairing.domain.policy import PairingPolicy
from services.pairing.routes import routes
from services.pairing.settings import PairingSettings
from services.pairing.signer import make_signer
from services.pairing.tables import PHRASES, REQUESTERS, TOPOLOGY
from services.pairing.web import CONTENT_SECURITY_POLICY, PairingWeb


def make_instance(settings: PairingSettings) -> ServiceInstance:
    """Wire one instance."""
    secrets = settings.secrets_directory
    signing_keys, phrase_key = (
        load_signing_keys(secrets, TOPOLOGY.service),
        load_secret(settings.shared_secrets, "phrase"),
    )
    base = Base(TOPOLOGY, settings, PairingPolicy(settings.limits, make_signer(settings, signing_keys, phrase_key)))
    verifier = SignedRequestVerifier(Nonces(load_secret(secrets, "pairing-nonce")), settings.url)
    web_side = PairingWeb(
        verifier=verifier,
        requesters=base.view(REQUESTERS),
        phrases=base.view(PHRASES),
        publisher=base.publisher,
        phrase_key=phrase_key,
        limits=settings.limits,
        trusted_proxies=settings.trusted_proxies,
    )
    application = make_web(base.health, base.telemetry, render_problem, CONTENT_SECURITY_POLICY, CORS)
    application[PROXIES] = Proxies(read_networks(settings.trusted_networks))
    application.add_routes(routes(web_side, verifier, signing_keys))
    return base.instance(application)
