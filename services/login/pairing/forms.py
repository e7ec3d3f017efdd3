"""Enrolment and pairing: the enrolment code, where one is required, and the phone's phrase."""

from http import HTTPStatus

from aiohttp import web

from protocol.phrases import WORDS, phrase_digest, read_phrase, unknown_words
from schemas.login_messages import AccountCommand, Enrol, FailCode, SendEnrolmentCode, StartPairing
from services.common.clock import new_id, now
from services.login.domain.account import Account
from services.login.domain.codes import code_pause
from services.login.domain.limits import Enrolment
from services.login.domain.login import Login
from services.login.domain.rejections import Rejection
from services.login.pairing.enrolment_codes import EnrolmentCodes, invitation_digest
from services.login.web import login_pages, page_messages
from services.login.web.context import require_login_at
from services.login.web.forms import Forms
from services.login.web.pages import status_of
from services.login.web.receipts import Receipts, waiting_details


class PairingForms:
    """Serves the pages and forms of enrolment and pairing."""

    def __init__(self, forms: Forms, codes: EnrolmentCodes, phrase_key: bytes, receipts: Receipts) -> None:
        self._forms = forms
        self._codes = codes
        self._phrase_key = phrase_key
        self._receipts = receipts

    async def show_enrol(self, request: web.Request) -> web.Response:
        """Show the page for the enrolment code."""
        at_enrol = require_login_at(self._forms.contexts.load(request), login_pages.ENROL)
        return self._render_enrol(request, at_enrol.account, at_enrol.login)

    async def send_code(self, request: web.Request) -> web.Response:
        """Send an enrolment code to the account's address."""
        await self._forms.read(request)
        at_enrol = require_login_at(self._forms.contexts.load(request), login_pages.ENROL)
        account, login = at_enrol.account, at_enrol.login
        command = SendEnrolmentCode(
            account_id=account.account_id, at=now(), login_id=login.login_id, enrolment_id=new_id()
        )
        outcome, row = await self._forms.decide(request, command)
        if outcome == Rejection.TOO_MANY_EMAILS:
            response = self._render_enrol(request, row, login, page_messages.too_many_emails())
            response.set_status(HTTPStatus.TOO_MANY_REQUESTS)
            return response
        raise web.HTTPSeeOther(login_pages.ENROL)

    async def enrol(self, request: web.Request) -> web.Response:
        """Check an enrolment code."""
        form = await self._forms.read(request)
        at_enrol = require_login_at(self._forms.contexts.load(request), login_pages.ENROL)
        account, login = at_enrol.account, at_enrol.login
        outcome, row = await self._forms.decide(request, self._enrol_command(account, login, form.get("code", "")))
        if outcome in {Rejection.WRONG_CODE, Rejection.CODES_PAUSED, Rejection.CODES_CLOSED}:
            message = page_messages.wrong_enrolment_code(by_mail=self._by_email(row))
            return self._render_enrol(request, row, login, message)
        raise web.HTTPSeeOther(self._forms.contexts.load(request).home)

    async def show_connect(self, request: web.Request) -> web.Response:
        """Show how to connect a phone."""
        at_connect = require_login_at(self._forms.contexts.load(request), login_pages.CONNECT)
        return self._forms.pages.render(
            request, "connect", account_name=at_connect.account.full_name, kind=at_connect.login.kind
        )

    async def show_pair(self, request: web.Request) -> web.Response:
        """Show PAIR A DEVICE, with the message for a failed attempt."""
        at_pair = require_login_at(self._forms.contexts.load(request), login_pages.PAIR)
        pairing, names = at_pair.login.pairing, self._forms.pages.names
        message = None if pairing is None else page_messages.pairing_failed(pairing.failure, names)
        return self._render_pair(request, at_pair.account, at_pair.login, message, "")

    async def pair(self, request: web.Request) -> web.Response:
        """Start the pairing with a typed phrase."""
        form = await self._forms.read(request)
        at_pair = require_login_at(self._forms.contexts.load(request), login_pages.PAIR)
        account, login = at_pair.account, at_pair.login
        typed = form.get("phrase", "")
        words = read_phrase(typed)
        unknown = unknown_words(words)
        if len(words) != WORDS or unknown:
            message = page_messages.unknown_words(unknown) if unknown else page_messages.wrong_word_count(len(words))
            return self._render_pair(request, account, login, message, typed)
        command = StartPairing(
            account_id=account.account_id,
            at=now(),
            login_id=login.login_id,
            pairing_id=new_id(),
            phrase_digest=phrase_digest(self._phrase_key, words),
        )
        outcome, row = await self._forms.decide(request, command)
        if outcome == Rejection.PAIRING_PAUSED:
            return self._render_pair(request, row, login, None, typed)
        raise web.HTTPSeeOther(login_pages.PAIR_WAIT)

    async def show_pair_wait(self, request: web.Request) -> web.Response:
        """Show the page that waits for the phone to accept the pairing."""
        at_wait = require_login_at(self._forms.contexts.load(request), login_pages.PAIR_WAIT)
        details = waiting_details(at_wait.login, at_wait.at, self._receipts)
        return self._forms.pages.render(request, "pair_wait", **details)

    async def show_pair_done(self, request: web.Request) -> web.Response:
        """Show DEVICE PAIRING SUCCESSFUL."""
        done = require_login_at(self._forms.contexts.load(request), login_pages.PAIR_DONE)
        name = done.account.devices[-1].name
        return self._forms.pages.render(request, "paired", device_name=name, kind=done.login.kind)

    def _render_enrol(
        self, request: web.Request, account: Account, login: Login, message: page_messages.PageMessage | None = None
    ) -> web.Response:
        at = now()
        rejection = code_pause(account, login, account.codes, self._forms.policy.limits.codes, at)
        if rejection is not None:
            codes = account.codes.of(known=account.knows_browser_of(login))
            message = page_messages.code_rejected(rejection, codes.paused_until, at)
        return self._forms.pages.render(
            request,
            "enrol",
            status_of(request, message),
            error=message,
            by_mail=self._by_email(account),
            address=page_messages.masked(account.email),
            sent=login.enrolment_id is not None,
            paused=rejection is not None,
        )

    def _render_pair(
        self,
        request: web.Request,
        account: Account,
        login: Login,
        message: page_messages.PageMessage | None,
        typed: str,
    ) -> web.Response:
        at, phrases = now(), account.phrases
        paused = phrases.is_paused(at)
        if paused and phrases.paused_until is not None:
            message = page_messages.pairing_paused(phrases.paused_until, at)
        return self._forms.pages.render(
            request, "pair", status_of(request, message), phrase=typed, error=message, paused=paused, kind=login.kind
        )

    def _by_email(self, account: Account) -> bool:
        """Tell whether an account gets its code by e-mail; without an address it needs an administrator's."""
        return self._forms.policy.limits.enrolment is Enrolment.EMAIL and bool(account.email)

    def _enrol_command(self, account: Account, login: Login, typed: str) -> AccountCommand:
        account_id, login_id = account.account_id, login.login_id
        sent = login.enrolment_id
        if sent is not None and self._codes.matches(account_id, sent, typed):
            return Enrol(account_id=account_id, at=now(), login_id=login_id, enrolment_id=sent)
        invitation = invitation_digest(typed)
        if invitation is not None:
            return Enrol(account_id=account_id, at=now(), login_id=login_id, invitation_digest=invitation)
        return FailCode(account_id=account_id, at=now(), login_id=login_id)
