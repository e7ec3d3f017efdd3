"""The e-mails' texts: what happened, and what to do."""

from dataclasses import dataclass
from typing import Final

from schemas.login_messages import EmailDue, EmailKind

LONGEST_NAME: Final = 60
_NOT_ME: Final = (
    "If it wasn't you, sign in at {url}, undo the change on your account page and change your password. If you can't "
    "sign in, ask your administrator to reset your account."
)


@dataclass(frozen=True, slots=True)
class Wording:
    """An e-mail's texts.

    Attributes:
        subject: The subject, without the product's name.
        happened: What happened.
        advice: What to do.

    """

    subject: str
    happened: str
    advice: str = f"If this was you, you don't need to do anything. {_NOT_ME}"


_WORDINGS: Final = {
    EmailKind.ENROLMENT_CODE: Wording(
        "your code to connect a phone",
        "Someone with your password is signing in to {product} and wants to connect a phone. If it's you, enter "
        "this code on the page that asks for it:\n\n    {code}\n\nIt works for this sign-in only.",
        "If it isn't you, someone else has your password. Don't give this code to anyone, and ask your administrator "
        "to change your password.",
    ),
    EmailKind.PHONE_PAIRED: Wording(
        "a phone was connected",
        "{method} was connected to your account. It can now approve sign-ins and make verification codes.",
    ),
    EmailKind.PHONE_REMOVED: Wording(
        "a phone was removed",
        "{method} was removed from your account. It can no longer approve sign-ins or make verification codes.",
    ),
    EmailKind.APP_ADDED: Wording(
        "an authenticator app was added",
        "{method} was added to your account. You can now sign in with its verification codes.",
    ),
    EmailKind.APP_REMOVED: Wording(
        "an authenticator app was removed",
        "{method} was removed from your account. Its verification codes no longer work.",
    ),
    EmailKind.RECOVERY_CODES_MADE: Wording(
        "new recovery codes were made",
        "New recovery codes were made for your account. Earlier codes no longer work.",
        "If this was you, you don't need to do anything. If it wasn't you, someone else is signed in to your account. "
        "Sign in at {url}, make new codes on your account page and change your password. If you can't sign in, ask "
        "your administrator to reset your account.",
    ),
    EmailKind.RECOVERY_CODE_USED: Wording(
        "a recovery code was used",
        "One of your recovery codes was used. It no longer works. {left}",
        "If this was you and few codes are left, make new ones on your account page. If it wasn't you, someone has "
        "your codes. Sign in at {url}, make new ones and change your password. If you can't sign in, ask your "
        "administrator to reset your account.",
    ),
    EmailKind.PASSWORD_CHANGED: Wording(
        "your password was changed",
        "The password of your account was changed.",
        "If this was you, you don't need to do anything. If it wasn't you, ask your administrator to reset your "
        "account.",
    ),
    EmailKind.SIGN_IN_REPORTED: Wording(
        "a sign-in was reported",
        "Someone with your password tried to sign in, and the request on your phone was answered with "
        "\u201cIt wasn't me\u201d. We stopped the sign-in and signed out all browsers. Your phone gets no requests for "
        "now.",
        "Sign in at {url} with a verification code and change your password. If it wasn't you who answered, someone "
        "has your phone. Remove the phone on your account page, or ask your administrator to reset your account.",
    ),
    EmailKind.PASSWORD_SET: Wording(
        "an administrator set your password",
        "An administrator set a password for one sign-in to your account, and signed out all browsers. You choose a "
        "new password when you sign in with it.",
        "If you didn't ask for this, contact your administrator before you sign in.",
    ),
    EmailKind.METHODS_RESET: Wording(
        "your sign-in methods were reset",
        "An administrator reset your account and removed its phones, authenticator apps and recovery codes. When you "
        "next sign in, you will connect a phone again.",
        "If you didn't ask for this, contact your administrator before you sign in.",
    ),
}
_PHONES: Final = {EmailKind.PHONE_PAIRED, EmailKind.PHONE_REMOVED}


def subject_of(kind: EmailKind, product: str) -> str:
    """Return an e-mail's subject."""
    return f"{one_line(product)}: {_WORDINGS[kind].subject}"


def text_of(email: EmailDue, *, product: str, url: str, code: str) -> str:
    """Return an e-mail's text; ``code`` is empty except for an enrolment code."""
    wording = _WORDINGS[email.kind]
    facts = {
        "product": one_line(product),
        "url": url,
        "code": f"{code[:3]} {code[3:]}",
        "method": _method(email),
        "left": _left(email.left),
    }
    sender = f"{facts['product']} sent this to the address of the account {one_line(email.sign_in_name)}."
    parts = [
        f"Hello {one_line(email.account_name)},",
        wording.happened.format(**facts).strip(),
        _circumstances(email),
        wording.advice.format(**facts),
        f"-- \n{sender} Replies are not read.",
    ]
    return "\n\n".join(parts) + "\n"


def one_line(text: str) -> str:
    """Return a user's text on one line, without invisible characters, cut to 60 characters."""
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
    # The name is the user's own text. Quotes keep it from passing for ours.
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
