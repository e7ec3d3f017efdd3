"""Pairing, as the account sees it: a phrase entered, a phone that accepted or did not."""

from datetime import datetime
from typing import Final

from protocol.challenges import Proof, verify_proof
from protocol.jose import PublicKey, SignatureError
from protocol.phrases import pairing_seal
from schemas.contract import DevicePaired, PairingFailed, PairingFailure, PairingRequested, Verdict
from schemas.login_commands import StartPairing
from schemas.login_notices import EmailKind
from services.common.decisions import Decision, UnacceptableError
from services.login.domain.account import Account
from services.login.domain.emails import email_due
from services.login.domain.expire import expire, with_history
from services.login.domain.history import HistoryKind
from services.login.domain.limits import Rejection, Rules
from services.login.domain.login import Login, LoginKind, LoginState, PairingAttempt
from services.login.domain.methods import Device
from services.login.domain.unpairing import TOO_LATE, unpaired
from services.login.domain.withdrawals import waits_for_phone, withdrawn

MOST_PHONES: Final = 5


def decide_start(account: Account, command: StartPairing, rules: Rules) -> Decision[Account]:
    """Ask for the phone that shows the phrase; a few tries, then a pause."""
    settled = expire(account, command.at)
    login = settled.login(command.login_id)
    if login is None or login.over:
        return Decision(settled, outcome=Rejection.NO_LOGIN)
    if login.state not in {LoginState.NEEDS_PHONE, LoginState.PAIRING} or waits_for_phone(login, command.at):
        return Decision(settled, outcome=Rejection.NOT_NOW)
    if len(settled.devices) >= MOST_PHONES:
        return Decision(settled, outcome=Rejection.TOO_MANY_METHODS)
    if settled.pairing_paused_until is not None and command.at < settled.pairing_paused_until:
        return Decision(settled, outcome=Rejection.PAIRING_PAUSED)
    tries = settled.pairing_tries + 1
    paused_until = command.at + rules.pairing_pause if tries >= rules.pairing_tries else None
    expires_at = min(command.at + rules.prompt_lifetime, login.expires_at)
    attempt = PairingAttempt(
        pairing_id=command.pairing_id,
        phrase_digest=command.phrase_digest,
        started_at=command.at,
        expires_at=expires_at,
    )
    waiting = settled.with_login(login.model_copy(update={"state": LoginState.PAIRING, "pairing": attempt}))
    changes = {"pairing_tries": 0 if paused_until else tries, "pairing_paused_until": paused_until}
    return Decision(waiting.model_copy(update=changes), (_request(settled, login, attempt, command, rules),))


def decide_paired(account: Account, paired: DevicePaired, rules: Rules) -> Decision[Account]:
    """Take the phone in, if the login that named its phrase still waits for it; other sign-ins then have to ask it.

    So whoever has just the password cannot pair a phone of their own beside it, in a login that began before.
    """
    proof = _check(paired, rules)
    settled = expire(account, paired.paired_at)
    if any(each.pairing_id == paired.pairing_id for each in settled.devices):
        return Decision(settled)
    device = _device(paired, proof)
    login = _login_of(settled, paired.pairing_id)
    others = tuple(each for each in settled.devices if each.device_id != device.device_id)
    if login is None or not waits_for_phone(login, paired.paired_at) or len(others) >= MOST_PHONES:
        return Decision(settled, unpaired(account.account_id, (device,), paired.paired_at, rules, TOO_LATE), TOO_LATE)
    changes = {
        "devices": (*others, device),
        "logins": tuple(_asks_instead(each) for each in settled.logins),
        "invitation": None,
        "pairing_tries": 0,
        "pairing_paused_until": None,
    }
    done = settled.model_copy(update=changes).with_login(login.model_copy(update={"state": LoginState.PAIRED}))
    told = with_history(done, HistoryKind.PHONE_PAIRED, paired.paired_at, login, device_name=device.name)
    gone = (each for each in settled.logins if each is not login and _gives_way(each))
    mail = email_due(settled, EmailKind.PHONE_PAIRED, paired.paired_at, login.browser, device.name)
    return Decision(told, (*withdrawn(gone, paired.paired_at), *mail))


def decide_failed(account: Account, failed: PairingFailed, at: datetime) -> Decision[Account]:
    """Keep why the phone will not be paired, for the page that waits."""
    settled = expire(account, at)
    login = _login_of(settled, failed.pairing_id)
    if login is None or login.pairing is None or login.over or login.state is not LoginState.PAIRING:
        return Decision(settled)
    attempt = login.pairing.model_copy(update={"failure": failed.reason})
    told = settled.with_login(login.model_copy(update={"pairing": attempt}))
    if failed.reason in {PairingFailure.DECLINED, PairingFailure.REPORTED}:
        told = with_history(told, HistoryKind.PAIRING_DECLINED, at, login)
    return Decision(told)


def _gives_way(login: Login) -> bool:
    """Tell whether a login need not look for a phone any more once another login found one."""
    looking = {LoginState.NEEDS_ENROLMENT, LoginState.NEEDS_PHONE, LoginState.PAIRING}
    return login.kind is LoginKind.SIGN_IN and login.state in looking


def _asks_instead(login: Login) -> Login:
    """Return a login that still looks for a phone as one that can ask the phone there is now."""
    return login.model_copy(update={"state": LoginState.READY}) if _gives_way(login) else login


def _device(paired: DevicePaired, proof: Proof) -> Device:
    offered = proof.claims.login_issuer.agreement if proof.claims.login_issuer is not None else None
    agreed = proof.agreement_key is not None and offered is not None
    return Device(
        device_id=paired.device_id,
        name=paired.device_name,
        pairing_id=paired.pairing_id,
        paired_at=paired.paired_at,
        agreement_key=proof.agreement_key if agreed else None,
        agreement_key_id=PublicKey.from_jwk(offered.model_dump()).thumbprint if agreed and offered else None,
    )


def _login_of(account: Account, pairing_id: str) -> Login | None:
    return next((each for each in account.logins if each.pairing and each.pairing.pairing_id == pairing_id), None)


def _request(
    account: Account, login: Login, attempt: PairingAttempt, command: StartPairing, rules: Rules
) -> PairingRequested:
    return PairingRequested(
        phrase_digest=command.phrase_digest,
        pairing_id=attempt.pairing_id,
        account_id=account.account_id,
        account_name=account.display_name,
        service_name=rules.service_name,
        issuer=rules.issuer,
        issuer_keys=rules.accepted_keys,
        issuer_agreement=rules.agreement_key,
        browser=login.browser,
        requested_at=attempt.started_at,
        expires_at=attempt.expires_at,
    )


def _check(paired: DevicePaired, rules: Rules) -> Proof:
    """Refuse a pairing that the pairing service did not decide, or that the device did not accept."""
    if paired.seal != pairing_seal(rules.seal_key, paired.pairing_id, paired.account_id, paired.device_id):
        text = "forged pairing: the seal does not hold"
        raise UnacceptableError(text)
    try:
        proof = verify_proof(paired.challenge, paired.answer)
    except SignatureError as error:
        text = f"forged pairing: {error}"
        raise UnacceptableError(text) from error
    said = (proof.claims.jti, proof.claims.account_id, proof.device_id, proof.verdict)
    if said != (paired.pairing_id, paired.account_id, paired.device_id, Verdict.APPROVE):
        text = "forged pairing: the proof is of something else"
        raise UnacceptableError(text)
    return proof
