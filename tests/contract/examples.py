"""One message of every type, for the recordings."""

from typing import Final

from schemas.base import Message
from schemas.contract import (
    ChallengeOutcome,
    Delivery,
    PairingFailed,
    PairingFailure,
    PairingWithdrawn,
    PushReceipt,
    Verdict,
)
from schemas.login_messages import EmailDue, EmailKind, ForgetGuesses, RefundGuess
from schemas.pairing_messages import ForgetRequester, RetirePhrase
from schemas.push_messages import ForgetDevice, RegisterDevice
from tests.builders import T0, a_browser, a_digest, a_phone
from tests.events import (
    PHRASE,
    a_challenge,
    a_paired,
    a_pairing_request,
    a_response,
    an_ended_challenge,
    an_issued_challenge,
    an_unpairing,
)
from tests.messages import (
    a_cancel,
    a_code,
    a_guess,
    a_pairing_start,
    a_parting,
    a_phrase_request,
    a_recovery_code,
    a_send,
    a_sign_in,
    a_sign_out,
    a_wrong_code,
    a_wrong_password,
    an_enrolment,
    an_enrolment_mail,
    an_issue,
)
from tests.session_messages import (
    a_changed_name,
    a_choice,
    a_confirmation,
    a_creation,
    a_forgetting,
    a_further_phone,
    a_method_removal,
    a_new_name,
    a_password_change,
    a_password_set,
    a_release,
    a_removal,
    a_renaming,
    a_reset,
    a_revocation,
    a_touch,
    an_address,
    an_app_added,
    an_invitation,
    an_opening,
    new_recovery_codes,
)

PASSWORD_HASH: Final = "pepper-1$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"


def examples() -> list[Message]:
    """Return a message of every type, with a value in every relevant field."""
    issued = an_issued_challenge()
    return [
        a_creation(name="zoë", display_name="Zoë", password_hash=PASSWORD_HASH, email="zoe@example.org"),
        an_opening(name="zoë", display_name="Zoë", password_hash=PASSWORD_HASH, email="zoe@example.org"),
        a_new_name("zoe"),
        a_changed_name("zoe"),
        a_release(),
        a_removal(),
        an_address("zoe@example.org"),
        an_invitation(),
        a_reset(),
        a_password_set(),
        a_sign_in(
            renewed_hash=PASSWORD_HASH,
            browser_digest=a_digest("b"),
            remembered_digest=a_digest("r"),
            remember_digest=a_digest("s"),
        ),
        a_wrong_password(browser_digest=a_digest("b")),
        a_pairing_start(),
        a_send(device_id=a_phone().device_id),
        a_code(step=58_081_920),
        a_recovery_code(),
        a_wrong_code(),
        an_enrolment_mail(),
        an_enrolment(invitation_digest=a_digest("invitation")),
        a_cancel(),
        a_sign_out(),
        *_session_examples(),
        EmailDue(
            account_id="alex",
            account_name="Zoë",
            sign_in_name="zoë",
            address="zoe@example.org",
            kind=EmailKind.RECOVERY_CODE_USED,
            at=T0,
            browser=a_browser(),
            method_name="Pixel 9",
            identifier="notice-1",
            left=9,
        ),
        a_guess(),
        RefundGuess(source=a_digest("source"), at=T0),
        ForgetGuesses(source=a_digest("source"), at=T0),
        a_phrase_request(),
        ForgetRequester(device_id=a_phone().device_id, at=T0),
        an_issue(),
        RetirePhrase(phrase_digest=PHRASE, device_id=a_phone().device_id, at=T0),
        a_pairing_request(),
        PairingWithdrawn(phrase_digest=PHRASE, pairing_id="pairing-1"),
        PairingFailed(pairing_id="pairing-1", account_id="alex", reason=PairingFailure.DECLINED),
        a_paired(),
        an_unpairing(),
        issued,
        an_ended_challenge(
            issued, ChallengeOutcome.APPROVED, verdict=Verdict.APPROVE, answer_id=a_digest("the answer's content")
        ),
        a_response(a_challenge()),
        PushReceipt(challenge_id="challenge-1", reply_key="alex", device_name="Pixel 9", delivery=Delivery.DELIVERED),
        RegisterDevice(device_id=a_phone().device_id, at=T0, device_name="Pixel 9"),
        ForgetDevice(device_id=a_phone().device_id, at=T0),
        a_parting(),
    ]


def _session_examples() -> list[Message]:
    return [
        a_touch(),
        a_revocation(a_digest("another")),
        a_forgetting(a_digest("r")),
        a_confirmation(),
        a_further_phone(),
        an_app_added(),
        a_choice("pairing-0"),
        a_renaming("pairing-0"),
        a_method_removal("pairing-0"),
        new_recovery_codes(),
        a_password_change(old_password_hash=PASSWORD_HASH, password_hash=PASSWORD_HASH),
    ]
