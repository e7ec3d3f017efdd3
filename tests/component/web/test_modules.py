"""The app's pure modules reproduce docs/protocol-vectors.json to the byte, and reject what it rejects."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from protocol.challenges import ANSWER_TYPE, Claims, issue_challenge, verify_proof
from protocol.jose import PrivateKey
from protocol.signed_requests import verify_request
from schemas.base import AgreementKey
from tests.component.web.stage import stage
from tests.component.web.vectors import DEVICE, ISSUER, NOW, VECTORS

pytestmark = pytest.mark.asyncio(loop_scope="session")
VERIFY: Final = """
async ([challenges, deviceId, now, known, published]) => {
  const { verifyChallenge } = await import("/challenges.js");
  const trust = { known: async () => known, published: async () => published };
  const verdict = async (challenge) => {
    try {
      return await verifyChallenge(challenge, { deviceId, now, trust });
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  };
  return Promise.all(challenges.map(verdict));
}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with stage() as services, await browser.new_context() as context:
        page = await context.new_page()
        await page.goto(f"{services.origin}/icons/icon.svg")
        yield page


async def judge(page: Page, challenges: list[str], **changes: Any) -> list[Any]:
    fine = {"device_id": DEVICE, "now": NOW.timestamp() * 1000, "known": [ISSUER], "published": []}
    verdicts: list[Any] = await page.evaluate(VERIFY, [challenges, *{**fine, **changes}.values()])
    return verdicts


async def test_thumbprints(page: Page) -> None:
    keys = VECTORS["keys"].values()
    code = """async (keys) => {
      const { requireP256, thumbprint } = await import("/jose.js");
      return Promise.all(keys.map((key) => thumbprint(requireP256(key))));
    }"""
    assert await page.evaluate(code, [key["private"] for key in keys]) == [key["thumbprint"] for key in keys]


async def test_base64url_is_canonical(page: Page) -> None:
    holds, refused = VECTORS["base64url"]["holds"], VECTORS["base64url"]["refused"]
    code = """async (texts) => {
      const { decodeBase64url, encodeBase64url } = await import("/encoding.js");
      const read = (text) => {
        try {
          const bytes = decodeBase64url(text);
          const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
          return { hex, text: encodeBase64url(bytes) };
        } catch {
          return null;
        }
      };
      return texts.map(read);
    }"""
    assert await page.evaluate(code, [each["text"] for each in holds]) == holds
    assert await page.evaluate(code, refused) == [None] * len(refused)


async def test_challenges_that_hold_are_read(page: Page) -> None:
    challenges = [*VECTORS["challenges"].values(), VECTORS["numbers"]["challenge"], VECTORS["agreement"]["challenge"]]
    verdicts = await judge(page, [challenge["jws"] for challenge in challenges])
    assert verdicts == [{"claims": each["claims"], "thumbprint": ISSUER, "rotated": False} for each in challenges]


async def test_challenges_that_are_refused(page: Page) -> None:
    refused = [*VECTORS["refused_challenges"], *VECTORS["agreement"]["refused_challenges"]]
    for why, verdict in zip(refused, await judge(page, [each["jws"] for each in refused]), strict=True):
        assert str(verdict).startswith("SignatureError"), why["why"]


async def test_no_character_of_a_challenge_can_be_altered(page: Page) -> None:
    good = VECTORS["challenges"]["login"]["jws"]
    places = range(0, len(good), 7)
    altered = [f"{good[:place]}{'A' if good[place] != 'A' else 'B'}{good[place + 1 :]}" for place in places]
    assert all(str(verdict).startswith("SignatureError") for verdict in await judge(page, altered))


async def test_who_may_ask_this_phone(page: Page) -> None:
    challenge = [VECTORS["challenges"]["login"]["jws"]]
    assert (await judge(page, challenge, known=[], published=[ISSUER]))[0]["rotated"] is True
    refused = {
        "it is for another device": {"device_id": ISSUER},
        "it has expired": {"now": (VECTORS["now"] + 120) * 1000},
        "nothing was paired with its issuer": {"known": None},
        "its issuer does not publish its key": {"known": [DEVICE], "published": [DEVICE]},
    }
    for reason, change in refused.items():
        assert await judge(page, challenge, **change) == [f"ChallengeError: {reason}"]


@pytest.mark.parametrize(
    "change",
    [
        {"jti": "../nonce"},
        {"iat": -1},
        {"purpose": "payment"},
        {"account_name": "a" * 201},
        {"browser": {"name": "Firefox on Linux"}},
        {"login_issuer": None},
        {"login_issuer": {"issuer": "http://localhost:8100", "keys": ["short"]}},
        {"login_issuer": {"issuer": "http://localhost:8100", "keys": [], "agreement": {"kty": "EC", "crv": "P-256"}}},
        {"browser": {"name": "Firefox on Linux", "address": "192.0.2.7", "place": "a" * 201}},
        {"browser": {"name": "Firefox on Linux", "address": "192.0.2.7", "first_time": 1}},
        {"number_matching": "yes"},
    ],
)
async def test_claims_of_another_shape_are_refused(page: Page, change: dict[str, Any]) -> None:
    key = PrivateKey.from_jwk(VECTORS["keys"]["issuer"]["private"])
    claims = Claims.model_construct(**{**VECTORS["challenges"]["pairing"]["claims"], **change})
    with pytest.warns(UserWarning, match="serializer"):
        challenge = issue_challenge(key, claims)
    assert str((await judge(page, [challenge]))[0]).startswith("SignatureError")


async def sign(page: Page, request: dict[str, Any], payload: dict[str, Any]) -> str:
    code = """async ([jwk, id, { header }, payload, now]) => {
      const { signRequest } = await import("/requests.js");
      const curve = { name: "ECDSA", namedCurve: "P-256" };
      const privateKey = await crypto.subtle.importKey("jwk", jwk, curve, false, ["sign"]);
      const { crv, kty, x, y } = jwk;
      const { url, nonce, typ } = header;
      const key = { privateKey, jwk: { crv, kty, x, y }, id };
      return signRequest(key, { url, nonce, now: now * 1000 + 999, payload, typ });
    }"""
    jwk = VECTORS["keys"]["device"]["private"]
    signed: str = await page.evaluate(code, [jwk, DEVICE, request, payload, VECTORS["now"]])
    return signed


def signing_input(compact: str) -> str:
    return compact.rpartition(".")[0]


async def test_requests_are_signed_to_the_byte(page: Page) -> None:
    request = VECTORS["request"]
    signed = await sign(page, request, {"device_name": "Pixel 9"})
    assert signing_input(signed) == signing_input(request["jws"])
    verified = verify_request(signed, path=request["path"], origins={request["origin"]}, now=NOW)
    assert verified.device.thumbprint == DEVICE


async def test_answers_are_signed_to_the_byte_and_prove_the_verdict(page: Page) -> None:
    numbers, agreement = VECTORS["numbers"], VECTORS["agreement"]
    public = {name: value for name, value in agreement["derivations"][0]["device"].items() if name != "d"}
    device = AgreementKey.model_validate(public).model_dump()
    plain: list[Any] = [(VECTORS["challenges"][each["to"]], each, {}) for each in VECTORS["answers"]]
    numbered = [(numbers["challenge"], each, {"number": each["number"]}) for each in numbers["answers"]]
    agreed = (agreement["challenge"], {**agreement["answer"], "verdict": "approve"}, {"agreement_key": device})
    for challenge, answer, members in [*plain, *numbered, agreed]:
        more = {name: value for name, value in members.items() if value is not None}
        code = """async (words) => (await import("/requests.js")).answerPayload(...words)"""
        payload = await page.evaluate(code, [challenge["jws"], answer["verdict"], more])
        signed = await sign(page, answer, payload)
        assert signing_input(signed) == signing_input(answer["jws"])
        assert (
            verify_request(signed, path=answer["path"], origins={answer["origin"]}, now=NOW, typ=ANSWER_TYPE).payload
            == payload
        )
        assert verify_proof(challenge["jws"], signed).verdict == answer["verdict"]


async def test_a_key_set_is_read_past_keys_of_other_kinds(page: Page) -> None:
    issuer = VECTORS["keys"]["issuer"]["private"]
    keys = [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, None, issuer]
    code = """async (sets) => Promise.all(sets.map((await import("/trust.js")).keySet))"""
    assert await page.evaluate(code, [{"keys": keys}, {"keys": {}}, {}]) == [[ISSUER], [], []]


async def test_a_pairing_is_shown_only_while_a_phrase_was_asked_for(page: Page) -> None:
    code = """async ([asked, seconds]) => {
      const { isRequested } = await import("/trust.js");
      return [isRequested(undefined, 1000), ...seconds.map((second) => isRequested(asked, second))];
    }"""
    asked = {"at": 1_000_000, "expires": 1_300_000}
    verdicts = await page.evaluate(code, [asked, [699, 700, 1600, 1601]])
    assert verdicts == [False, False, True, True, False]


async def test_pauses_grow_to_half_a_minute_and_vary_by_a_fifth(page: Page) -> None:
    code = """async () => {
      const { pauseAfter } = await import("/backoff.js");
      const pauses = (random) => [1, 2, 3, 4, 5, 6, 40].map((failures) => pauseAfter(failures, () => random));
      return [pauses(0.5), pauses(0), pauses(1)];
    }"""
    middle, shortest, longest = await page.evaluate(code)
    assert middle == [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]
    assert shortest == pytest.approx([0.8 * pause for pause in middle])
    assert longest == pytest.approx([1.2 * pause for pause in middle])


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Linux; Android 10; K) Chrome/150.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0", "Firefox on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on iPhone"),
        ("something new", "Browser on this device"),
    ],
)
async def test_a_phone_gets_a_sensible_first_name(page: Page, user_agent: str, name: str) -> None:
    code = """async (userAgent) => (await import("/names.js")).suggestedName(userAgent)"""
    assert await page.evaluate(code, user_agent) == name
