"""What somebody who is signed in, and has just given the second factor, does with their methods."""

from schemas.base import Browser, Message
from schemas.login_notices import EmailKind
from schemas.login_sessions import AddApp, ChoosePhone, MakeRecoveryCodes, RemoveMethod, RenameMethod
from services.common.decisions import Decision
from services.login.domain.account import Account
from services.login.domain.emails import email_due
from services.login.domain.expire import expire, with_history
from services.login.domain.history import HistoryKind
from services.login.domain.limits import Rejection, Rules
from services.login.domain.login import EndReason
from services.login.domain.methods import AuthenticatorApp, Device, RecoveryCode, RecoveryCodes
from services.login.domain.sessions import confirmed_session
from services.login.domain.unpairing import unpaired
from services.login.domain.withdrawals import withdrawn

MOST_APPS = 5
Change = AddApp | ChoosePhone | RenameMethod | RemoveMethod | MakeRecoveryCodes


def decide_change(account: Account, command: Change, rules: Rules) -> Decision[Account]:
    """Decide any change of an account's methods; each needs a session that confirmed itself lately."""
    settled = expire(account, command.at)
    session = confirmed_session(settled, command, rules)
    if isinstance(session, Rejection):
        return Decision(settled, outcome=session)
    match command:
        case AddApp():
            return _add_app(settled, command)
        case MakeRecoveryCodes():
            return _make_recovery_codes(settled, command)
        case ChoosePhone():
            return _choose(settled, command)
        case RenameMethod():
            return _rename(settled, command)
        case RemoveMethod():
            return _remove(settled, command, rules)


def _add_app(account: Account, command: AddApp) -> Decision[Account]:
    if account.method(command.method_id) is not None:
        return Decision(account)
    if len(account.apps) >= MOST_APPS:
        return Decision(account, outcome=Rejection.TOO_MANY_METHODS)
    app = AuthenticatorApp(
        method_id=command.method_id,
        name=command.name,
        sealed_secret=command.sealed_secret,
        added_at=command.at,
        last_time_step=command.time_step,
    )
    added = account.model_copy(update={"apps": (*account.apps, app)})
    return _told(added, HistoryKind.APP_ADDED, EmailKind.APP_ADDED, command, app.name)


def _make_recovery_codes(account: Account, command: MakeRecoveryCodes) -> Decision[Account]:
    codes = tuple(RecoveryCode(digest=each) for each in command.code_digests)
    made = RecoveryCodes(salt=command.salt, made_at=command.at, codes=codes)
    renewed = account.model_copy(update={"recovery": made})
    return _told(renewed, HistoryKind.RECOVERY_CODES_MADE, EmailKind.RECOVERY_CODES_MADE, command)


def _choose(account: Account, command: ChoosePhone) -> Decision[Account]:
    chosen = next((each for each in account.devices if each.method_id == command.method_id), None)
    if chosen is None:
        return Decision(account, outcome=Rejection.UNKNOWN_METHOD)
    others = tuple(each for each in account.devices if each is not chosen)
    first = account.model_copy(update={"devices": (chosen, *others)})
    return Decision(_kept(first, HistoryKind.PHONE_CHOSEN, command, chosen.name))


def _rename(account: Account, command: RenameMethod) -> Decision[Account]:
    method = account.method(command.method_id)
    if method is None:
        return Decision(account, outcome=Rejection.UNKNOWN_METHOD)
    renamed = account.with_method(method.model_copy(update={"name": command.name}))
    return Decision(_kept(renamed, HistoryKind.METHOD_RENAMED, command, command.name))


def _remove(account: Account, command: RemoveMethod, rules: Rules) -> Decision[Account]:
    method = account.method(command.method_id)
    if method is None:
        return Decision(account, outcome=Rejection.UNKNOWN_METHOD)
    if len(account.methods) == 1:
        return Decision(account, outcome=Rejection.LAST_METHOD)
    if isinstance(method, AuthenticatorApp):
        left = account.model_copy(update={"apps": tuple(each for each in account.apps if each is not method)})
        return _told(left, HistoryKind.APP_REMOVED, EmailKind.APP_REMOVED, command, method.name)
    without, taken_back = _without_phone(account, method, command)
    told = _told(without, HistoryKind.PHONE_REMOVED, EmailKind.PHONE_REMOVED, command, method.name)
    statements = unpaired(account.account_id, (method,), command.at, rules)
    return Decision(told.row, (*taken_back, *statements, *told.events))


def _without_phone(account: Account, phone: Device, command: RemoveMethod) -> tuple[Account, tuple[Message, ...]]:
    """Return the account without a phone; a login that it is being asked for has ended."""
    left = account.model_copy(update={"devices": tuple(each for each in account.devices if each is not phone)})
    asked = account.open_challenge()
    if asked is None or asked.challenge is None or asked.challenge.device_id != phone.device_id:
        return left, ()
    return left.with_ended((asked,), EndReason.CANCELLED, command.at), withdrawn((asked,), command.at)


def _told(
    account: Account, what: HistoryKind, kind: EmailKind, command: Change, method_name: str = ""
) -> Decision[Account]:
    """Return a change as decided: in the history, and by e-mail."""
    mail = email_due(account, kind, command.at, _browser(account, command), method_name)
    return Decision(_kept(account, what, command, method_name), mail)


def _kept(account: Account, what: HistoryKind, command: Change, method_name: str) -> Account:
    """Return the account with a change in its history."""
    return with_history(account, what, command.at, device_name=method_name, browser=_browser(account, command))


def _browser(account: Account, command: Change) -> Browser | None:
    session = account.session(command.session_digest, command.at)
    return None if session is None else session.browser
