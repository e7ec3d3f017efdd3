"""During pairing, the phone and the service agree on the secret of verification codes without sending it."""

import hmac
from hashlib import sha1
from typing import Any, Final

import pytest
from playwright.async_api import BrowserContext, Error, Page, expect

from protocol.agreement import AgreementPrivateKey
from protocol.challenges import PinnedIssuer, verify_proof
from schemas.base import AgreementKey
from schemas.contract import Purpose
from tests.builders import present
from tests.component.web.stage import Stage, a_phone, network_lost, press, result_is, shows_code_of
from tests.component.web.vectors import VECTORS

pytestmark = pytest.mark.asyncio(loop_scope="session")
MESSAGE: Final = "any message"
MAC: Final = """
const mac = async (key, message) => {
  const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(message)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};
"""
DERIVED: Final = f"""async ([jwk, peers, pairingId, message]) => {{
  {MAC}
  const {{ deriveCodeKey }} = await import("/agreement.js");
  const curve = {{ name: "ECDH", namedCurve: "P-256" }};
  const key = await crypto.subtle.importKey("jwk", jwk, curve, false, ["deriveKey"]);
  return Promise.all(peers.map(async (peer) => mac(await deriveCodeKey(key, peer, pairingId), message)));
}}"""
KEPT: Final = f"""async (message) => {{
  {MAC}
  const store = await (await import("/store.js")).openStore();
  const [account] = await store.all("accounts");
  const {{ privateKey }} = await store.get("device", "agreement");
  const exported = (key) => crypto.subtle.exportKey("raw", key).catch((error) => error.name);
  const isSecret = !account.codeKey.extractable && !privateKey.extractable;
  return [account.pairing_id, await mac(account.codeKey, message), isSecret, await exported(account.codeKey)];
}}"""
CODES: Final = """async ([jwk, peer, pairingId, moments]) => {
  const { deriveCodeKey } = await import("/agreement.js");
  const { codeAt, stepAt } = await import("/codes.js");
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("jwk", jwk, curve, false, ["deriveKey"]);
  const codeKey = await deriveCodeKey(key, peer, pairingId);
  return Promise.all(moments.map((seconds) => codeAt(codeKey, stepAt(seconds * 1000))));
}"""
OWN: Final = """async () => {
  const store = await (await import("/store.js")).openStore();
  return (await store.get("device", "agreement"))?.jwk ?? null;
}"""


def mac(secret: bytes) -> str:
    return hmac.new(secret, MESSAGE.encode(), sha1).hexdigest()


async def asked_to_pair(page: Page, services: Stage, **changes: Any) -> str:
    """Request a phrase on the phone, use it, and return the challenge."""
    await press(page, "new-account")
    await expect(page.get_by_test_id("phrase")).to_be_visible()
    challenge = await services.ask(services.claims(services.device_id, Purpose.PAIRING, **changes))
    await expect(page.get_by_test_id("accept")).to_be_enabled()
    return challenge


async def test_both_sides_derive_the_same(context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto("/icons/icon.svg")
    ours = AgreementPrivateKey.generate()
    theirs = [AgreementPrivateKey.generate() for _ in range(20)]
    peers = [each.public.model_dump() for each in theirs]
    derived = await page.evaluate(DERIVED, [ours.to_jwk(), peers, "pairing-7", MESSAGE])
    assert derived == [mac(each.code_secret(ours.public, "pairing-7")) for each in theirs]


async def test_secrets_and_codes_are_those_of_the_vectors(context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto("/icons/icon.svg")
    for case in VECTORS["agreement"]["derivations"]:
        peers, pairing_id = [case["issuer"]], case["pairing_id"]
        derived = await page.evaluate(DERIVED, [case["device"], peers, pairing_id, MESSAGE])
        assert derived == [mac(bytes.fromhex(case["secret_hex"]))], case["why"]
        moments = [each["at"] for each in case["codes"]]
        codes = await page.evaluate(CODES, [case["device"], case["issuer"], pairing_id, moments])
        assert codes == [each["code"] for each in case["codes"]], case["why"]


async def test_keys_that_nothing_can_be_agreed_on_with_are_refused(context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto("/icons/icon.svg")
    own = VECTORS["agreement"]["derivations"][0]["device"]
    for case in VECTORS["agreement"]["refused_keys"]:
        with pytest.raises(Error, match="DataError"):
            await page.evaluate(DERIVED, [own, [case["jwk"]], "pairing-1", MESSAGE])


async def test_an_accepted_pairing_sends_the_phone_s_key_and_keeps_the_codes_key(
    context: BrowserContext, services: Stage
) -> None:
    page = await a_phone(context)
    challenge = await asked_to_pair(page, services)
    await press(page, "accept")
    await result_is(page, "Account connected")
    proof = verify_proof(challenge, services.requests[-1].compact)
    assert proof.agreement_key is not None
    assert list(services.requests[-1].payload["agreement_key"]) == ["kty", "crv", "x", "y"]
    secret = services.agreement.code_secret(proof.agreement_key, proof.claims.jti)
    assert await page.evaluate(KEPT, MESSAGE) == [proof.claims.jti, mac(secret), True, "InvalidAccessError"]
    assert proof.agreement_key.x != services.requests[-1].device.jwk["x"]
    await press(page, "done")
    await shows_code_of(page, services, secret)


async def test_an_answer_that_is_kept_over_a_reload_agrees_on_the_same(
    context: BrowserContext, services: Stage
) -> None:
    page = await a_phone(context)
    challenge = await asked_to_pair(page, services)
    async with network_lost(page, services):
        await press(page, "accept")
    await result_is(page, "Account connected")
    proof = verify_proof(challenge, services.requests[-1].compact)
    secret = services.agreement.code_secret(present(proof.agreement_key), proof.claims.jti)
    assert (await page.evaluate(KEPT, MESSAGE))[1] == mac(secret)


async def test_a_service_that_takes_no_codes_is_paired_with_all_the_same(
    context: BrowserContext, services: Stage
) -> None:
    page = await a_phone(context)
    issuer = PinnedIssuer(issuer=services.origin, keys=(services.key.public.thumbprint,))
    await asked_to_pair(page, services, login_issuer=issuer)
    await press(page, "accept")
    await result_is(page, "Account connected")
    assert "agreement_key" not in services.requests[-1].payload
    await press(page, "done")
    await expect(page.get_by_test_id("account-row")).to_contain_text("This account has no verification codes.")
    await expect(page.get_by_test_id("code")).to_have_count(0)


async def test_a_declined_pairing_agrees_on_nothing(context: BrowserContext, services: Stage) -> None:
    page = await a_phone(context)
    await asked_to_pair(page, services)
    await press(page, "decline")
    await result_is(page, "Pairing declined")
    assert "agreement_key" not in services.requests[-1].payload


async def test_a_phone_from_before_gets_a_key_once_and_stays_the_same_device(page: Page, services: Stage) -> None:
    device_id = services.device_id
    forget = """async () => (await (await import("/store.js")).openStore()).delete("device", "agreement")"""
    await page.evaluate(forget)
    assert await page.evaluate(OWN) is None
    await page.reload()
    await expect(page.get_by_test_id("connection")).to_have_text("Connected")
    made = await page.evaluate(OWN)
    AgreementKey.model_validate(made)
    await page.reload()
    await expect(page.get_by_test_id("connection")).to_have_text("Connected")
    assert await page.evaluate(OWN) == made
    assert services.device_id == device_id
