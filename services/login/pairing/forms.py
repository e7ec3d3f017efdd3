"""The forms of the first pairing: the code that admits to it, where one is asked for, and the phone's phrase."""

from http import HTTPStatus

from aiohttp import web

from protocol.phrases import WORDS, phrase_digest, read_phrase, unknown_words
from schemas.login_commands import AccountCommand, Enrol, FailCode, SendEnrolmentCode, StartPairing
from services.common.clock import new_id, now
from services.login.domain.account import Account
from services.login.domain.codes import codes_paused
from services.login.domain.limits import Enrolment, Rejection
from services.login.domain.login import Login
from services.login.pairing.enrolment_codes import EnrolmentCodes
from services.login.pairing.invitations import invitation_digest
from services.login.web import login_pages, page_messages
from services.login.web.forms import Forms
from services.login.web.pages import status_of


class EnrolmentForms:
    """Takes them for one instance."""

    def __init__(self, desk: Forms, codes: EnrolmentCodes, phrase_key: bytes) -> None:
        """Take the parts that they need.

        Args:
            desk: Takes forms in.
            codes: Knows the e-mailed codes.
            phrase_key: The key of the phrases' digests.

        """
        self._desk = desk
        self._codes = codes
        self._phrase_key = phrase_key

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add what is posted to a router."""
        router.add_post(login_pages.ENROL, self.enrol)
        router.add_post(f"{login_pages.ENROL}/send", self.send)
        router.add_post(login_pages.PAIR, self.pair)

    async def send(self, request: web.Request) -> web.Response:
        """Send a code to the account's address."""
        await self._desk.form(request)
        step = self._desk.visits.step(request, login_pages.ENROL)
        account, login = step.account, step.login
        command = SendEnrolmentCode(
            account_id=account.account_id, at=now(), login_id=login.login_id, enrolment_id=new_id()
        )
        outcome, row = await self._desk.decide(request, command)
        if outcome == Rejection.TOO_MANY_MAILS:
            answer = self.render_enrol(request, row, login, page_messages.too_many_mails())
            answer.set_status(HTTPStatus.TOO_MANY_REQUESTS)
            return answer
        raise web.HTTPSeeOther(login_pages.ENROL)

    async def enrol(self, request: web.Request) -> web.Response:
        """Take the code that admits to the first pairing."""
        form = await self._desk.form(request)
        step = self._desk.visits.step(request, login_pages.ENROL)
        account, login = step.account, step.login
        typed = form.get("code", "")
        mailed = login.enrolment_id is not None and self._codes.matches(account.account_id, login.enrolment_id, typed)
        invitation = invitation_digest(typed)
        if mailed:
            command: AccountCommand = self._enrol(account, login, enrolment_id=login.enrolment_id)
        elif invitation is not None:
            command = self._enrol(account, login, invitation_digest=invitation)
        else:
            command = FailCode(account_id=account.account_id, at=now(), login_id=login.login_id)
        outcome, row = await self._desk.decide(request, command)
        if outcome in {Rejection.WRONG_CODE, Rejection.CODES_PAUSED}:
            message = page_messages.wrong_enrolment_code(by_mail=self._by_mail(row))
            return self.render_enrol(request, row, login, message)
        raise web.HTTPSeeOther(self._desk.visits.of(request).home)

    async def pair(self, request: web.Request) -> web.Response:
        """Take the phrase that the phone shows."""
        form = await self._desk.form(request)
        step = self._desk.visits.step(request, login_pages.PAIR)
        account, login = step.account, step.login
        typed = form.get("phrase", "")
        words = read_phrase(typed)
        unknown = unknown_words(words)
        if len(words) != WORDS or unknown:
            message = page_messages.unknown_words(unknown) if unknown else page_messages.wrong_word_count(len(words))
            return self._render_pair(request, account, login, message, typed)
        outcome, row = await self._desk.decide(
            request,
            StartPairing(
                account_id=account.account_id,
                at=now(),
                login_id=login.login_id,
                pairing_id=new_id(),
                phrase_digest=phrase_digest(self._phrase_key, words),
            ),
        )
        if outcome == Rejection.PAIRING_PAUSED:
            return self._render_pair(request, row, login, None, typed)
        raise web.HTTPSeeOther(login_pages.PAIR_WAIT)

    def render_enrol(
        self,
        request: web.Request,
        account: Account,
        login: Login,
        message: page_messages.PageMessage | None = None,
    ) -> web.Response:
        """Show what is needed before the first pairing, with what became of the last try."""
        at = now()
        paused = codes_paused(account, at)
        if paused:
            message = page_messages.code_refused(Rejection.CODES_PAUSED, account.codes_paused_until, at)
        return self._desk.pages.render(
            request,
            "enrol",
            status_of(request, message),
            error=message,
            by_mail=self._by_mail(account),
            address=page_messages.masked(account.email),
            sent=login.enrolment_id is not None,
            paused=paused,
        )

    def render_pair(self, request: web.Request, account: Account, login: Login) -> web.Response:
        """Show PAIR A DEVICE, with why the last try came to nothing."""
        names = self._desk.pages.names
        message = None if login.pairing is None else page_messages.pairing_failed(login.pairing.failure, names)
        return self._render_pair(request, account, login, message, "")

    def _render_pair(
        self,
        request: web.Request,
        account: Account,
        login: Login,
        message: page_messages.PageMessage | None,
        typed: str,
    ) -> web.Response:
        at, paused_until = now(), account.pairing_paused_until
        paused = paused_until is not None and at < paused_until
        if paused and paused_until is not None:
            message = page_messages.pairing_paused(paused_until, at)
        return self._desk.pages.render(
            request, "pair", status_of(request, message), phrase=typed, error=message, paused=paused, kind=login.kind
        )

    def _by_mail(self, account: Account) -> bool:
        """Tell whether the code comes by e-mail; who has no address needs an administrator's."""
        return self._desk.rules.enrolment is Enrolment.EMAIL and bool(account.email)

    def _enrol(self, account: Account, login: Login, **codes: str | None) -> Enrol:
        return Enrol(account_id=account.account_id, at=now(), login_id=login.login_id, **codes)
