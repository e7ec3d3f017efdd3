"""The login service's routes: method, path, handler."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.web_routedef import AbstractRouteDef

from services.common.keys.keys import SigningKeys
from services.common.web.web import serve_key_set
from services.login.account.methods import MethodForms
from services.login.account.page import AccountPage
from services.login.account.password import PasswordForms
from services.login.codes.forms import CodeForms
from services.login.pairing.forms import PairingForms
from services.login.sign_in.forms import SignInForms
from services.login.web import login_pages as at
from services.login.web.events import Events

STATIC: Final = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Handlers:
    """The objects whose methods serve the routes."""

    sign_in: SignInForms
    pairing: PairingForms
    codes: CodeForms
    account: AccountPage
    methods: MethodForms
    password: PasswordForms
    events: Events
    signing_keys: SigningKeys


def routes(handlers: Handlers) -> Sequence[AbstractRouteDef]:
    """Return the routes of one instance."""
    return (
        web.get("/", handlers.sign_in.home),
        web.get(at.SIGN_IN, handlers.sign_in.show),
        web.post(at.SIGN_IN, handlers.sign_in.sign_in),
        web.get(at.ENROL, handlers.pairing.show_enrol),
        web.post(at.ENROL, handlers.pairing.enrol),
        web.post(at.ENROL_SEND, handlers.pairing.send_code),
        web.get(at.CONNECT, handlers.pairing.show_connect),
        web.get(at.PAIR, handlers.pairing.show_pair),
        web.post(at.PAIR, handlers.pairing.pair),
        web.get(at.PAIR_WAIT, handlers.pairing.show_pair_wait),
        web.get(at.PAIR_DONE, handlers.pairing.show_pair_done),
        web.get(at.SEND, handlers.sign_in.show_send),
        web.post(at.CHALLENGE, handlers.sign_in.send_challenge),
        web.get(at.WAIT, handlers.sign_in.show_wait),
        web.get(at.CODE, handlers.codes.show),
        web.post(at.CODE, handlers.codes.enter),
        web.get(at.ENDED, handlers.sign_in.show_ended),
        web.get(at.COMPLETE, handlers.sign_in.complete),
        web.post(at.CANCEL, handlers.sign_in.cancel),
        web.post(at.SIGN_OUT, handlers.sign_in.sign_out),
        web.get(at.EVENTS, handlers.events.serve),
        web.get(at.ACCOUNT, handlers.account.show),
        web.post(at.CONFIRM, handlers.account.confirm),
        web.post(at.PHONES, handlers.account.add_phone),
        web.post(at.METHODS_CHOOSE, handlers.account.choose),
        web.post(at.METHODS_RENAME, handlers.account.rename),
        web.post(at.METHODS_REMOVE, handlers.account.remove),
        web.post(at.SESSIONS_REVOKE, handlers.account.revoke),
        web.post(at.BROWSERS_FORGET, handlers.account.forget),
        web.get(at.APP, handlers.methods.show_app),
        web.post(at.APP, handlers.methods.add_app),
        web.post(at.RECOVERY_CODES, handlers.methods.make_recovery_codes),
        web.get(at.PASSWORD, handlers.password.show),
        web.post(at.PASSWORD, handlers.password.change),
        web.get("/.well-known/jwks.json", serve_key_set(handlers.signing_keys)),
        web.static("/static", STATIC),
    )
