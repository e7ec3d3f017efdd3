"""The terminal device's output: text for people, or one JSON object per line for scripts."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import typer

from authenticator.device.challenges import Answered, DeviceChallenge
from authenticator.device.errors import DeviceError, ProblemError, UnexpectedResponseError, UnreachableError
from authenticator.device.state import Account, ChallengeOutcome
from protocol.signed_requests import Refusal
from schemas.base import Browser
from schemas.contract import Purpose, Verdict

TITLES = {Purpose.PAIRING: "Pairing request", Purpose.LOGIN: "Authentication request"}
QUESTIONS = {
    Purpose.PAIRING: "Accept? (a = accept, d = decline, r = it wasn't me)",
    Purpose.LOGIN: "Approve? (a = approve, d = deny, r = it wasn't me)",
}
DONE = {
    (Purpose.PAIRING, Verdict.APPROVE): "Accepted: {account} is connected.",
    (Purpose.PAIRING, Verdict.DENY): "Declined: {account} is not connected.",
    (Purpose.LOGIN, Verdict.APPROVE): "Approved.",
    (Purpose.LOGIN, Verdict.DENY): "Denied.",
}
WRONG_NUMBER = "Denied: the browser shows another number."
REPORTED = "Reported: it wasn't you."
FIRST_TIME = "first sign-in from this browser"
ENDED = {
    ChallengeOutcome.WITHDRAWN: "Canceled at the computer. No answer is needed.",
    ChallengeOutcome.EXPIRED: "The request has expired.",
    ChallengeOutcome.ANSWERED: "Already answered elsewhere.",
    ChallengeOutcome.REMOVED: "The account was removed from this device. No answer is needed.",
}


def printable(text: str) -> str:
    """Return untrusted text for a terminal, with control and bidirectional characters replaced."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def local_time(moment: datetime) -> str:
    """Return a moment in local time."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def advice(error: DeviceError) -> str:
    """Return what to do about an error, or an empty string."""
    if isinstance(error, UnreachableError):
        return "Is the service running there? Set the push service's address with --url."
    if isinstance(error, UnexpectedResponseError):
        return "Is the address right? Set the push service's address with --url."
    if isinstance(error, ProblemError) and error.problem.name == Refusal.WRONG_URL:
        return "The push service has another public address. Set it with --url."
    return ""


class Screen:
    """Prints a command's output."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def emit(self, event: str, text: str, **members: object) -> None:
        """Print a text, or a JSON object with the member ``event`` and others."""
        typer.echo(json.dumps({"event": event, **members}, default=str) if self._as_json else text)

    def table(self, event: str, rows: Sequence[Mapping[str, str | int]], empty: str) -> None:
        """Print rows of the same columns with headings."""
        if self._as_json:
            for row in rows:
                typer.echo(json.dumps({"event": event, **row}))
            return
        if not rows:
            typer.echo(empty)
            return
        lines = [
            [name.replace("_", " ").upper() for name in rows[0]],
            *([printable(str(value)) for value in row.values()] for row in rows),
        ]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

    def request(self, request: DeviceChallenge) -> None:
        """Print a request."""
        claims = request.claims
        rows: dict[str, str] = {
            "Account": claims.account_name,
            "Service": claims.service,
            "Browser": _described(claims.browser),
        }
        if claims.action:
            rows["For"] = claims.action
        lines = [f"  {name}: {printable(value)}" for name, value in rows.items()]
        if claims.browser.first_time:
            lines.append(f"  {'':7}  {FIRST_TIME}")
        text = "\n".join(["", TITLES[claims.purpose], *lines, f"  Until:   {local_time(claims.expires_at)}"])
        self.emit(
            "request",
            text,
            challenge_id=claims.jti,
            purpose=claims.purpose,
            service=claims.service,
            account_id=claims.account_id,
            account_name=claims.account_name,
            action=claims.action,
            browser=claims.browser.model_dump(),
            number_needed=request.needs_number,
            issuer=claims.iss,
            expires_at=claims.expires_at.isoformat(),
        )

    def question(self, request: DeviceChallenge) -> None:
        """Ask about a request."""
        if not self._as_json:
            typer.echo(f"{QUESTIONS[request.claims.purpose]}: ", nl=False)

    def ask_number(self, *, again: bool = False) -> None:
        """Ask for the number that the browser shows."""
        if not self._as_json:
            hint = "Two digits, 10 to 99; or d = deny, r = it wasn't me.\n" if again else ""
            typer.echo(f"{hint}Number shown in the browser: ", nl=False)

    def answered(self, request: DeviceChallenge, verdict: Verdict, answered: Answered) -> None:
        """Print that an answer counts, and how the request ended."""
        claims = request.claims
        text = DONE.get((claims.purpose, verdict), REPORTED).format(account=printable(claims.account_name))
        if answered.outcome is ChallengeOutcome.WRONG_NUMBER:
            text = WRONG_NUMBER
        self.emit(
            "answered",
            text,
            challenge_id=claims.jti,
            verdict=verdict,
            outcome=answered.outcome,
            answered_at=answered.at.isoformat(),
        )

    def ended(self, request: DeviceChallenge, outcome: ChallengeOutcome) -> None:
        """Print that a request ended without an answer."""
        text = ENDED.get(outcome, outcome)
        self.emit("ended", text, challenge_id=request.claims.jti, outcome=outcome)

    def removed(self, account: Account) -> None:
        """Print that an account's service removed it."""
        service, name = printable(account.service), printable(account.account_name)
        text = f"{service} removed {name} from this device."
        names = {"service": account.service, "account_name": account.account_name, "account_id": account.account_id}
        self.emit("removed", text, **names)

    def answer_failed(self, request: DeviceChallenge, error: DeviceError) -> None:
        """Print that an answer failed."""
        name = error.problem.name if isinstance(error, ProblemError) else "unreachable"
        text = printable(error.problem.detail) if isinstance(error, ProblemError) else str(error)
        self.emit("not_answered", f"Not answered: {text}", challenge_id=request.claims.jti, problem=name, detail=text)


def _described(browser: Browser) -> str:
    place = f" ({browser.place})" if browser.place else ""
    return f"{browser.name}, {browser.address}{place}"
