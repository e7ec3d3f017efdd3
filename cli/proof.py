"""``countersign proof``: verify approvals offline from exported records."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from authenticator.device.terminal import printable
from cli.evidence import BadInputError, Finding, examine, read_key_sets, read_records
from protocol.challenges import Proof
from schemas.contract import Purpose

MOST_BYTES: Final = 64 * 1024 * 1024
app = typer.Typer(help="Verify from exported records who approved what.", no_args_is_help=True)
BAD_INPUT: Final = 2


@app.callback()
def proof() -> None:
    """Verify from exported records who approved what."""


@app.command()
def verify(
    file: Annotated[
        str,
        typer.Argument(help="Records of auth.response or device.paired as JSON or JSON lines; - for standard input."),
    ],
    *,
    jwks: Annotated[
        list[str] | None,
        typer.Option(help="A JWK set (file or URL) of trusted issuers; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per record.")] = False,
) -> None:
    """Print what a challenge and its answer prove.

    Exit code 0: all records are proven. 1: at least one is not; the output says why. 2: the input cannot be read.
    """
    try:
        trusted = read_key_sets(jwks) if jwks else None
        findings = [examine(record, trusted) for record in read_records(_read(file))]
    except BadInputError as error:
        typer.echo(f"countersign: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    for finding in findings:
        typer.echo(json.dumps(_as_dict(finding)) if as_json else _in_words(finding))
    proven = sum(finding.proven for finding in findings)
    if len(findings) > 1 and not as_json:
        typer.echo(f"{proven} of {len(findings)} proven.")
    if proven < len(findings):
        raise typer.Exit(1)


def _read(file: str) -> str:
    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as records:
            content = records.read(MOST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        text = f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}"
        raise BadInputError(text) from None
    if len(content) > MOST_BYTES:
        text = f"{file} has more than {MOST_BYTES:,} bytes: split it"
        raise BadInputError(text)
    return text


def _in_words(finding: Finding) -> str:
    head = "Proven." if finding.proven else f"Not proven: {printable(finding.reason)}."
    if finding.proof is None:
        return f"{head}\n"
    rows = _rows(finding.proof, finding.issuer_trusted)
    lines = [f"  {name:<13}{printable(value)}" for name, value in rows.items()]
    return "\n".join([head, *lines, ""])


def _rows(proof: Proof, issuer_trusted: bool | None) -> dict[str, str]:  # noqa: FBT001 - one of three answers
    claims = proof.claims
    asked = {Purpose.PAIRING: "to connect to", Purpose.LOGIN: "to sign in to"}[claims.purpose]
    late = " (later than the challenge allowed)" if proof.signed_at > claims.expires_at else ""
    checked = {
        None: f"not checked; compare it with {claims.iss}/.well-known/jwks.json, or give that as --jwks",
        True: "in a given key set",
        False: "in none of the given key sets",
    }[issuer_trusted]
    return {
        "Who asked": claims.iss,
        "  its key": f"{proof.issuer_key} ({checked})",
        "Whom": f"device {proof.device_id}",
        "What": f"{claims.purpose}: {asked} {claims.service} as {claims.account_name} ({claims.account_id})",
        "From": f"{claims.browser.name}, {claims.browser.address}",
        "Asked at": f"{_utc(claims.iat)}, to be answered by {_utc(claims.exp)}",
        "Answer": f"{proof.verdict}, signed at {_utc(proof.signed_at.timestamp())} by the device's clock{late}",
        "Challenge": claims.jti,
    }


def _as_dict(finding: Finding) -> dict[str, object]:
    result: dict[str, object] = {"proven": finding.proven, "reason": finding.reason or None}
    if finding.proof is None:
        return result
    claims = finding.proof.claims
    return {
        **result,
        "issuer": claims.iss,
        "issuer_key": finding.proof.issuer_key,
        "issuer_key_trusted": finding.issuer_trusted,
        "device_id": finding.proof.device_id,
        "verdict": finding.proof.verdict,
        "signed_at": finding.proof.signed_at.isoformat(),
        "claims": claims.model_dump(mode="json", exclude_none=True),
    }


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
