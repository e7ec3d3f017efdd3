"""What people read in e-mails: what happened, and what to do if it was not them."""

from dataclasses import dataclass
from typing import Final

from schemas.login_notices import NoticeDue, NoticeKind

LONGEST_NAME: Final = 60
_NOT_ME: Final = (
    "If it was not you, sign in at {url}, undo it on your account page, and change your password. If you cannot "
    "sign in, ask your administrator to reset your account."
)


@dataclass(frozen=True, slots=True)
class Wording:
    """What an e-mail says.

    Attributes:
        subject: Its subject, without the product's name.
        happened: What happened.
        advice: What to do.

    """

    subject: str
    happened: str
    advice: str = f"If this was you, there is nothing to do. {_NOT_ME}"


_WORDINGS: Final = {
    NoticeKind.ENROLMENT_CODE: Wording(
        "your code to connect a phone",
        "Somebody who knows your password is signing in to {product} as you and wants to connect a phone. If that is "
        "you, enter this code on the page that asks for it:\n\n    {code}\n\nIt is good for this sign-in alone.",
        "If it is not you, give this code to nobody, whoever asks for it: somebody has your password. Ask your "
        "administrator to change it.",
    ),
    NoticeKind.PHONE_PAIRED: Wording(
        "a phone was connected",
        "{method} was connected to your account. It can approve sign-ins and make verification codes from now on.",
    ),
    NoticeKind.PHONE_REMOVED: Wording(
        "a phone was removed",
        "{method} was removed from your account. It can neither approve sign-ins nor make verification codes any more.",
    ),
    NoticeKind.APP_ADDED: Wording(
        "an authenticator app was added",
        "{method} was added to your account. Its verification codes are good for signing in from now on.",
    ),
    NoticeKind.APP_REMOVED: Wording(
        "an authenticator app was removed",
        "{method} was removed from your account. Its verification codes are not good for anything any more.",
    ),
    NoticeKind.RECOVERY_CODES_MADE: Wording(
        "new recovery codes were made",
        "New recovery codes were made for your account. Any from before no longer work.",
        "If this was you, there is nothing to do. If it was not you, somebody else is signed in as you: sign in at "
        "{url}, make new codes on your account page, and change your password. If you cannot sign in, ask your "
        "administrator to reset your account.",
    ),
    NoticeKind.RECOVERY_CODE_USED: Wording(
        "a recovery code was used",
        "One of the recovery codes of your account was used, and cannot be used again. {left}",
        "If this was you, and few are left, make new ones on your account page. If it was not you, somebody has your "
        "codes: sign in at {url}, make new ones, and change your password. If you cannot sign in, ask your "
        "administrator to reset your account.",
    ),
    NoticeKind.PASSWORD_CHANGED: Wording(
        "your password was changed",
        "The password of your account was changed.",
        "If this was you, there is nothing to do. If it was not you, ask your administrator to reset your account.",
    ),
    NoticeKind.SIGN_IN_REPORTED: Wording(
        "a sign-in was reported",
        "Somebody who knows your password tried to sign in as you, and it was answered with \u201cIt wasn't me\u201d. "
        "The sign-in was stopped, and no more requests are sent to your phone for now.",
        "Change your password: sign in at {url} with a verification code. If it was not you who answered, somebody has "
        "your phone: remove it on your account page, or ask your administrator to reset your account.",
    ),
    NoticeKind.METHODS_RESET: Wording(
        "your ways to sign in were reset",
        "An administrator reset your account: its phones, authenticator apps and recovery codes are gone. At your next "
        "sign-in you connect a phone again.",
        "If you did not ask for this, talk to your administrator before you sign in.",
    ),
}
_PHONES: Final = {NoticeKind.PHONE_PAIRED, NoticeKind.PHONE_REMOVED}


def subject_of(kind: NoticeKind, product: str) -> str:
    """Return an e-mail's subject."""
    return f"{one_line(product)}: {_WORDINGS[kind].subject}"


def text_of(notice: NoticeDue, *, product: str, url: str, code: str) -> str:
    """Return an e-mail's text.

    Args:
        notice: What it is about.
        product: What people sign in to.
        url: Where they do so.
        code: The enrolment code; empty where the notice is about none.

    """
    wording = _WORDINGS[notice.kind]
    facts = {
        "product": one_line(product),
        "url": url,
        "code": f"{code[:3]} {code[3:]}",
        "method": _method(notice),
        "left": _left(notice.left),
    }
    parts = [
        f"Hello {one_line(notice.account_name)},",
        wording.happened.format(**facts).strip(),
        _circumstances(notice),
        wording.advice.format(**facts),
        f"-- \n{facts['product']} sent this to the address of the account {notice.account_id}. Nobody reads replies.",
    ]
    return "\n\n".join(parts) + "\n"


def one_line(text: str) -> str:
    """Return somebody's text as it may stand among ours: one line, nothing invisible, not too long."""
    visible = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(visible.split())[:LONGEST_NAME]


def _circumstances(notice: NoticeDue) -> str:
    lines = [f"    When:  {notice.at:%Y-%m-%d %H:%M} {notice.at:%Z}".rstrip()]
    if notice.browser is not None:
        address = ", ".join(part for part in (one_line(notice.browser.address), one_line(notice.browser.place)) if part)
        lines.append(f"    With:  {one_line(notice.browser.name)}")
        lines.append(f"    From:  {address}")
    return "\n".join(lines)


def _method(notice: NoticeDue) -> str:
    what = "phone" if notice.kind in _PHONES else "authenticator app"
    name = one_line(notice.method_name)
    # The name is whatever its owner gave it: quoted, so that it cannot pass for words of ours.
    return f"The {what} \u201c{name}\u201d" if name else f"{'A' if what == 'phone' else 'An'} {what}"


def _left(left: int | None) -> str:
    match left:
        case None:
            return ""
        case 0:
            return "None are left."
        case 1:
            return "One is left."
        case _:
            return f"{left} are left."
