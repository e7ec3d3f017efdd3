"""Verification codes are those that the RFCs publish, at every counter and moment of their tables."""

from datetime import UTC, datetime

import pytest

from protocol.verification_codes import code_at, find_step, step_at

SECRET = b"12345678901234567890"
"""The secret of both tables: RFC 4226 appendix D, RFC 6238 appendix B (SHA-1)."""
RFC_4226_APPENDIX_D = (
    "755224",
    "287082",
    "359152",
    "969429",
    "338314",
    "254676",
    "287922",
    "162583",
    "399871",
    "520489",
)
RFC_6238_APPENDIX_B = (
    (59, 0x0000000000000001, "94287082"),
    (1111111109, 0x00000000023523EC, "07081804"),
    (1111111111, 0x00000000023523ED, "14050471"),
    (1234567890, 0x000000000273EF07, "89005924"),
    (2000000000, 0x0000000003F940AA, "69279037"),
    (20000000000, 0x0000000027BC86AA, "65353130"),
)
each_moment = pytest.mark.parametrize(
    ("seconds", "step", "eight_digits"), RFC_6238_APPENDIX_B, ids=[str(row[0]) for row in RFC_6238_APPENDIX_B]
)


@pytest.mark.parametrize(("counter", "code"), list(enumerate(RFC_4226_APPENDIX_D)))
def test_a_steps_code_is_that_of_its_counter_in_rfc_4226_appendix_d(counter: int, code: str) -> None:
    assert code_at(SECRET, counter) == code


@each_moment
def test_a_moments_code_is_that_of_rfc_6238_appendix_b(seconds: int, step: int, eight_digits: str) -> None:
    """A code of six digits is the table's number modulo 10^6 instead of 10^8 (RFC 4226 section 5.3)."""
    moment = datetime.fromtimestamp(seconds, UTC)
    assert step_at(moment) == step
    assert code_at(SECRET, step) == eight_digits[-6:]


@each_moment
def test_a_published_code_is_found_at_its_moment(seconds: int, step: int, eight_digits: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert find_step(SECRET, eight_digits[-6:], moment) == step
    assert find_step(SECRET, eight_digits, moment) is None


@pytest.mark.parametrize("code", ["287082", "287 082", " 2870 82\n", "287-082", "\uff12\uff18\uff17\uff10\uff18\uff12"])
def test_a_code_is_found_however_it_is_typed(code: str) -> None:
    assert find_step(SECRET, code, datetime.fromtimestamp(59, UTC)) == 1


@pytest.mark.parametrize(
    ("seconds", "step"), [(30, None), (59, None), (60, 3), (89, 3), (90, 3), (149, 3), (150, None)]
)
def test_a_code_is_accepted_one_step_early_or_late(seconds: int, step: int | None) -> None:
    assert find_step(SECRET, RFC_4226_APPENDIX_D[3], datetime.fromtimestamp(seconds, UTC)) == step


@pytest.mark.parametrize("code", ["", "28708", "2870820", "28708x", "-87082"])
def test_a_wrong_code_is_not_found(code: str) -> None:
    assert find_step(SECRET, code, datetime.fromtimestamp(59, UTC)) is None
