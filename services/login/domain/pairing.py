"""Enrolment and pairing of phones: the enrolment code, the phrase, and the phone's answer."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from protocol.challenges import Proof
from protocol.jose import PublicKey
from schemas.contract import DevicePaired, PairingFailed, PairingFailure, PairingRequested, Verdict
from schemas.login_messages import EmailKind, Enrol, SendEnrolmentCode, StartPairing
from services.common.decisions import Decision, UnacceptableError
from services.login.domain.account import Account
from services.login.domain.attempts import NO_ATTEMPTS
from services.login.domain.codes import code_pause, with_wrong_code
from services.login.domain.emails import email_due
from services.login.domain.history import HistoryKind
from services.login.domain.limits import Enrolment
from services.login.domain.login import Login, LoginKind, LoginState, PairingAttempt
from services.login.domain.methods import Device
from services.login.domain.policy import Policy, Signer
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import TOO_LATE, unpaired, withdrawn

MOST_PHONES: Final = 5


def send_enrolment_code(
    account: Account, login: Login, command: SendEnrolmentCode, at: datetime, policy: Policy
) -> Decision[Account]:
    """Send an enrolment code by e-mail, within the limit per hour."""
    by_email = policy.limits.enrolment is Enrolment.EMAIL and account.email
    if login.state is not LoginState.NEEDS_ENROLMENT or not by_email:
        return Decision(account, outcome=Rejection.NOT_NOW)
    window = policy.limits.enrolment_emails
    if window.next_at(account.enrolment_emails, at) is not None:
        return Decision(account, outcome=Rejection.TOO_MANY_EMAILS)
    waiting = account.with_login(replace(login, enrolment_id=command.enrolment_id))
    counted = replace(waiting, enrolment_emails=(*window.recent(account.enrolment_emails, at), at))
    email = email_due(account, EmailKind.ENROLMENT_CODE, at, login.browser, identifier=command.enrolment_id)
    return Decision(counted, email)


def enrol(account: Account, login: Login, command: Enrol, at: datetime, policy: Policy) -> Decision[Account]:
    """Admit a login to the first pairing by a right enrolment code; each code works once."""
    if login.state is not LoginState.NEEDS_ENROLMENT:
        return Decision(account)
    rejection = code_pause(account, login, account.codes, policy.limits.codes, at)
    if rejection is not None:
        return Decision(account, outcome=rejection)
    by_email = command.enrolment_id is not None and command.enrolment_id == login.enrolment_id
    if not by_email and not _is_invited(account, command, at):
        return Decision(with_wrong_code(account, login, at, policy.limits), outcome=Rejection.WRONG_CODE)
    admitted = account.with_login(replace(login, state=LoginState.NEEDS_PHONE, enrolment_id=None))
    invitation = account.invitation if by_email else None
    return Decision(replace(admitted, codes=NO_ATTEMPTS, invitation=invitation))


def start(account: Account, login: Login, command: StartPairing, at: datetime, policy: Policy) -> Decision[Account]:
    """Request a pairing by a phrase; several failures lead to a pause (`limits.Limits.phrases`)."""
    if login.state not in {LoginState.NEEDS_PHONE, LoginState.PAIRING} or login.waits_for_phone(at):
        return Decision(account, outcome=Rejection.NOT_NOW)
    if len(account.devices) >= MOST_PHONES:
        return Decision(account, outcome=Rejection.TOO_MANY_METHODS)
    if account.phrases.is_paused(at):
        return Decision(account, outcome=Rejection.PAIRING_PAUSED)
    attempt = PairingAttempt(
        pairing_id=command.pairing_id,
        phrase_digest=command.phrase_digest,
        started_at=at,
        expires_at=min(at + policy.limits.challenge_lifetime, login.expires_at),
    )
    waiting = account.with_login(replace(login, state=LoginState.PAIRING, pairing=attempt))
    # A phrase counts as a failure until it has paired a phone.
    counted = replace(waiting, phrases=account.phrases.failed(at, policy.limits.phrases))
    return Decision(counted, (_request(account, login, attempt, policy.signer),))


def add_device(
    account: Account, login: Login | None, paired: DevicePaired, at: datetime, policy: Policy
) -> Decision[Account]:
    """Add a paired phone, if the login that named its phrase still waits for it.

    The account's other sign-ins then need this phone's approval: an attacker with the password cannot pair a phone in a
    login that began earlier.

    Raises:
        UnacceptableError: If the pairing is forged.

    """
    proof = _verified(paired, policy.signer)
    if any(each.pairing_id == paired.pairing_id for each in account.devices):
        return Decision(account)
    device = _device(paired, proof)
    others = tuple(each for each in account.devices if each.device_id != device.device_id)
    if login is None or not login.waits_for_phone(at) or len(others) >= MOST_PHONES:
        statements = unpaired(account.account_id, (device,), at, policy.signer, TOO_LATE)
        return Decision(account, statements, Rejection.TOO_LATE)
    added = replace(
        account,
        devices=(*others, device),
        logins=tuple(_ready_to_challenge(each) for each in account.logins),
        invitation=None,
        phrases=account.phrases.succeeded(),
    )
    done = added.with_login(replace(login, state=LoginState.PAIRED))
    done = done.with_history(HistoryKind.PHONE_PAIRED, at, login, device_name=device.name)
    superseded = (each for each in account.logins if each is not login and _seeks_phone(each))
    email = email_due(account, EmailKind.PHONE_PAIRED, at, login.browser, device.name)
    return Decision(done, (*withdrawn(superseded, at), *email))


def record_failure(
    account: Account, login: Login | None, failed: PairingFailed, at: datetime, _policy: Policy
) -> Decision[Account]:
    """Record why the pairing failed, for the waiting page."""
    if login is None or login.pairing is None or login.state is not LoginState.PAIRING:
        return Decision(account)
    recorded = account.with_login(replace(login, pairing=replace(login.pairing, failure=failed.reason)))
    if failed.reason in {PairingFailure.DECLINED, PairingFailure.REPORTED}:
        recorded = recorded.with_history(HistoryKind.PAIRING_DECLINED, at, login)
    return Decision(recorded)


def _is_invited(account: Account, command: Enrol, at: datetime) -> bool:
    invitation = account.invitation
    return invitation is not None and invitation.digest == command.invitation_digest and at <= invitation.expires_at


def _seeks_phone(login: Login) -> bool:
    """Tell whether a sign-in has yet to pair the account's first phone."""
    without_phone = {LoginState.NEEDS_ENROLMENT, LoginState.NEEDS_PHONE, LoginState.PAIRING}
    return login.kind is LoginKind.SIGN_IN and login.state in without_phone


def _ready_to_challenge(login: Login) -> Login:
    """Return a sign-in without a phone as one that can challenge the new phone."""
    return replace(login, state=LoginState.READY) if _seeks_phone(login) else login


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


def _request(account: Account, login: Login, attempt: PairingAttempt, signer: Signer) -> PairingRequested:
    return PairingRequested(
        phrase_digest=attempt.phrase_digest,
        pairing_id=attempt.pairing_id,
        account_id=account.account_id,
        account_name=account.full_name,
        service_name=signer.service_name,
        issuer=signer.issuer,
        issuer_keys=signer.accepted_keys,
        issuer_agreement=signer.agreement_key,
        browser=login.browser,
        requested_at=attempt.started_at,
        expires_at=attempt.expires_at,
    )


def _verified(paired: DevicePaired, signer: Signer) -> Proof:
    """Return the proof of a pairing that is not forged."""
    proof = signer.verify_pairing(paired)
    claims = proof.claims
    if (claims.jti, claims.account_id, proof.device_id, proof.verdict) != (
        paired.pairing_id,
        paired.account_id,
        paired.device_id,
        Verdict.APPROVE,
    ):
        text = "forged pairing: its proof is for another pairing"
        raise UnacceptableError(text)
    return proof
