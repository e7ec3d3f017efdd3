"""What people read in e-mails: what happened, and what to do if it was not them."""

from dataclasses import dataclass
from typing import Final

from schemas.login_messages import EmailDue, EmailKind

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
    EmailKind.ENROLMENT_CODE: Wording(
        "your code to connect a phone",
        "Somebody who knows your password is signing in to {product} as you and wants to connect a phone. If that is "
        "you, enter this code on the page that asks for it:\n\n    {code}\n\nIt is good for this sign-in alone.",
        "If it is not you, give this code to nobody, whoever asks for it: somebody has your password. Ask your "
        "administrator to change it.",
    ),
    EmailKind.PHONE_PAIRED: Wording(
        "a phone was connected",
        "{method} was connected to your account. It can approve sign-ins and make verification codes from now on.",
    ),
    EmailKind.PHONE_REMOVED: Wording(
        "a phone was removed",
        "{method} was removed from your account. It can neither approve sign-ins nor make verification codes any more.",
    ),
    EmailKind.APP_ADDED: Wording(
        "an authenticator app was added",
        "{method} was added to your account. Its verification codes are good for signing in from now on.",
    ),
    EmailKind.APP_REMOVED: Wording(
        "an authenticator app was removed",
        "{method} was removed from your account. Its verification codes are not good for anything any more.",
    ),
    EmailKind.RECOVERY_CODES_MADE: Wording(
        "new recovery codes were made",
        "New recovery codes were made for your account. Any from before no longer work.",
        "If this was you, there is nothing to do. If it was not you, somebody else is signed in as you: sign in at "
        "{url}, make new codes on your account page, and change your password. If you cannot sign in, ask your "
        "administrator to reset your account.",
    ),
    EmailKind.RECOVERY_CODE_USED: Wording(
        "a recovery code was used",
        "One of the recovery codes of your account was used, and cannot be used again. {left}",
        "If this was you, and few are left, make new ones on your account page. If it was not you, somebody has your "
        "codes: sign in at {url}, make new ones, and change your password. If you cannot sign in, ask your "
        "administrator to reset your account.",
    ),
    EmailKind.PASSWORD_CHANGED: Wording(
        "your password was changed",
        "The password of your account was changed.",
        "If this was you, there is nothing to do. If it was not you, ask your administrator to reset your account.",
    ),
    EmailKind.SIGN_IN_REPORTED: Wording(
        "a sign-in was reported",
        "Somebody who knows your password tried to sign in as you, and it was answered with \u201cIt wasn't me\u201d. "
        "The sign-in was stopped, and no more requests are sent to your phone for now.",
        "Change your password: sign in at {url} with a verification code. If it was not you who answered, somebody has "
        "your phone: remove it on your account page, or ask your administrator to reset your account.",
    ),
    EmailKind.METHODS_RESET: Wording(
        "your ways to sign in were reset",
        "An administrator reset your account: its phones, authenticator apps and recovery codes are gone. At your next "
        "sign-in you connect a phone again.",
        "If you did not ask for this, talk to your administrator before you sign in.",
    ),
}
_PHONES: Final = {EmailKind.PHONE_PAIRED, EmailKind.PHONE_REMOVED}


def subject_of(kind: EmailKind, product: str) -> str:
    """Return an e-mail's subject."""
    return f"{one_line(product)}: {_WORDINGS[kind].subject}"


def text_of(email: EmailDue, *, product: str, url: str, code: str) -> str:
    """Return an e-mail's text.

    Args:
        email: What it is about.
        product: What people sign in to.
        url: Where they do so.
        code: The enrolment code; empty where the email is about none.

    """
    wording = _WORDINGS[email.kind]
    facts = {
        "product": one_line(product),
        "url": url,
        "code": f"{code[:3]} {code[3:]}",
        "method": _method(email),
        "left": _left(email.left),
    }
    parts = [
        f"Hello {one_line(email.account_name)},",
        wording.happened.format(**facts).strip(),
        _circumstances(email),
        wording.advice.format(**facts),
        f"-- \n{facts['product']} sent this to the address of the account {email.account_id}. Nobody reads replies.",
    ]
    return "\n\n".join(parts) + "\n"


def one_line(text: str) -> str:
    """Return somebody's text as it may stand among ours: one line, nothing invisible, not too long."""
    visible = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(visible.split())[:LONGEST_NAME]


def _circumstances(email: EmailDue) -> str:
    lines = [f"    When:  {email.at:%Y-%m-%d %H:%M} {email.at:%Z}".rstrip()]
    if email.browser is not None:
        address = ", ".join(part for part in (one_line(email.browser.address), one_line(email.browser.place)) if part)
        lines.append(f"    With:  {one_line(email.browser.name)}")
        lines.append(f"    From:  {address}")
    return "\n".join(lines)


def _method(email: EmailDue) -> str:
    what = "phone" if email.kind in _PHONES else "authenticator app"
    name = one_line(email.method_name)
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
