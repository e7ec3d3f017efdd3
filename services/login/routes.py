"""The login service's routes: method, address, handler. What needs the routes reads them here."""

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
    """What the routes lead to."""

    sign_in: SignInForms
    pairing: PairingForms
    codes: CodeForms
    account: AccountPage
    methods: MethodForms
    password: PasswordForms
    events: Events
    signing_keys: SigningKeys


def routes(to: Handlers) -> Sequence[AbstractRouteDef]:
    """Return the routes of one instance."""
    return (
        web.get("/", to.sign_in.home),
        web.get(at.SIGN_IN, to.sign_in.show),
        web.post(at.SIGN_IN, to.sign_in.sign_in),
        web.get(at.ENROL, to.pairing.show_enrol),
        web.post(at.ENROL, to.pairing.enrol),
        web.post(at.ENROL_SEND, to.pairing.send_code),
        web.get(at.CONNECT, to.pairing.show_connect),
        web.get(at.PAIR, to.pairing.show_pair),
        web.post(at.PAIR, to.pairing.pair),
        web.get(at.PAIR_WAIT, to.pairing.show_pair_wait),
        web.get(at.PAIR_DONE, to.pairing.show_pair_done),
        web.get(at.SEND, to.sign_in.show_send),
        web.post(at.CHALLENGE, to.sign_in.send_challenge),
        web.get(at.WAIT, to.sign_in.show_wait),
        web.get(at.CODE, to.codes.show),
        web.post(at.CODE, to.codes.enter),
        web.get(at.ENDED, to.sign_in.show_ended),
        web.get(at.COMPLETE, to.sign_in.complete),
        web.post(at.CANCEL, to.sign_in.cancel),
        web.post(at.SIGN_OUT, to.sign_in.sign_out),
        web.get(at.EVENTS, to.events.serve),
        web.get(at.ACCOUNT, to.account.show),
        web.post(at.CONFIRM, to.account.confirm),
        web.post(at.PHONES, to.account.add_phone),
        web.post(at.METHODS_CHOOSE, to.account.choose),
        web.post(at.METHODS_RENAME, to.account.rename),
        web.post(at.METHODS_REMOVE, to.account.remove),
        web.post(at.SESSIONS_REVOKE, to.account.revoke),
        web.post(at.BROWSERS_FORGET, to.account.forget),
        web.get(at.APP, to.methods.show_app),
        web.post(at.APP, to.methods.add_app),
        web.post(at.RECOVERY_CODES, to.methods.make_recovery_codes),
        web.get(at.PASSWORD, to.password.show),
        web.post(at.PASSWORD, to.password.change),
        web.get("/.well-known/jwks.json", serve_key_set(to.signing_keys)),
        web.static("/static", STATIC),
    )
