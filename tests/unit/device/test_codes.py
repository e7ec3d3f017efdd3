"""The codes that a device shows."""

from datetime import UTC, datetime

import pytest

from authenticator.device.code_derivation import code_of
from authenticator.device.errors import NoCodesError
from authenticator.device.state import Account, new_account
from protocol.agreement import AgreementPrivateKey
from protocol.challenges import PinnedIssuer
from protocol.verification_codes import code_at, step_at
from schemas.base import AgreementKey
from schemas.contract import Purpose
from tests.builders import present
from tests.unit.protocol.builders import ISSUER, NOW, SERVICE, some_claims

OWN, THEIRS = (AgreementPrivateKey.generate() for _ in range(2))


def an_account(agreement: AgreementKey | None = THEIRS.public, **changes: object) -> Account:
    """Return an account that was paired just now."""
    pinned = PinnedIssuer(issuer=ISSUER, keys=(SERVICE.public.thumbprint,), agreement=agreement)
    account = present(new_account(some_claims(Purpose.PAIRING, login_issuer=pinned), NOW))
    return account.model_copy(update=changes)


def test_code_is_the_issuers_code_for_the_pairing() -> None:
    account = an_account()
    expected = THEIRS.code_secret(OWN.public, present(account.pairing_id))
    assert code_of(account, OWN, NOW).code == code_at(expected, step_at(NOW))
    assert code_of(account, OWN, NOW).code != code_of(an_account(pairing_id="another"), OWN, NOW).code


@pytest.mark.parametrize(("second", "left"), [(0, 30), (0.5, 30), (1, 29), (29, 1), (29.999, 1), (30, 30), (59, 1)])
def test_seconds_left_are_those_of_the_step(second: float, left: int) -> None:
    assert code_of(an_account(), OWN, datetime.fromtimestamp(NOW.timestamp() + second, UTC)).seconds_left == left


@pytest.mark.parametrize("account", [an_account(agreement=None), an_account(pairing_id=None)])
def test_account_without_an_agreement_has_no_code(account: Account) -> None:
    with pytest.raises(NoCodesError, match=r"ann@example\.com at Account Manager has no verification codes"):
        code_of(account, OWN, NOW)
