"""What the first pairing needs beside the password: a code by e-mail, or one that an administrator handed out."""

from datetime import timedelta
from typing import Final

from schemas.login_commands import Enrol, SendEnrolmentCode
from schemas.login_notices import EmailKind
from services.common.decisions import Decision
from services.login.domain.account import Account
from services.login.domain.codes import codes_paused, failed
from services.login.domain.emails import email_due
from services.login.domain.expire import expire
from services.login.domain.limits import Enrolment, Rejection, Rules
from services.login.domain.login import LoginState

MOST_MAILS: Final = 5
WINDOW: Final = timedelta(hours=1)


def decide_enrolment_code(account: Account, command: SendEnrolmentCode, rules: Rules) -> Decision[Account]:
    """Send a code to the account's address, if that is what admits here; a few an hour."""
    settled = expire(account, command.at)
    login = settled.login(command.login_id)
    if login is None or login.over:
        return Decision(settled, outcome=Rejection.NO_LOGIN)
    by_mail = rules.enrolment is Enrolment.EMAIL and settled.email
    if login.state is not LoginState.NEEDS_ENROLMENT or not by_mail:
        return Decision(settled, outcome=Rejection.NOT_NOW)
    sent = tuple(moment for moment in settled.enrolment_mails if moment > command.at - WINDOW)
    if len(sent) >= MOST_MAILS:
        return Decision(settled, outcome=Rejection.TOO_MANY_MAILS)
    waiting = settled.with_login(login.model_copy(update={"enrolment_id": command.enrolment_id}))
    counted = waiting.model_copy(update={"enrolment_mails": (*sent, command.at)})
    mail = email_due(settled, EmailKind.ENROLMENT_CODE, command.at, login.browser, identifier=command.enrolment_id)
    return Decision(counted, mail)


def decide_enrol(account: Account, command: Enrol, rules: Rules) -> Decision[Account]:
    """Let a login go on to the first pairing, by a code that was right; each one once."""
    settled = expire(account, command.at)
    login = settled.login(command.login_id)
    if login is None or login.over:
        return Decision(settled, outcome=Rejection.NO_LOGIN)
    if login.state is not LoginState.NEEDS_ENROLMENT:
        return Decision(settled)
    if codes_paused(settled, command.at):
        return Decision(settled, outcome=Rejection.CODES_PAUSED)
    mailed = command.enrolment_id is not None and command.enrolment_id == login.enrolment_id
    if not mailed and not _invited(settled, command):
        return Decision(failed(settled, login, command.at, rules), outcome=Rejection.WRONG_CODE)
    admitted = login.model_copy(update={"state": LoginState.NEEDS_PHONE, "enrolment_id": None})
    changes = {"wrong_codes": 0, "codes_paused_until": None}
    if not mailed:
        changes["invitation"] = None
    return Decision(settled.with_login(admitted).model_copy(update=changes))


def _invited(account: Account, command: Enrol) -> bool:
    open_one = account.invitation
    return open_one is not None and open_one.digest == command.invitation_digest and command.at <= open_one.expires_at
