/** The device's keys: P-256 pairs, made once, whose private halves cannot be read out (docs/protocol.md, section 1). */

import { generateAgreementKey } from "./agreement.js";
import { generateKeyPair, publicJwk, thumbprint } from "./jose.js";

/**
 * @param {import("./store.js").Store} store
 * @returns {Promise<import("./requests.js").DeviceKey>} what it signs with and is known by
 */
export async function deviceKey(store) {
  const pair = (await store.get("device", "key")) ?? (await store.claim("key", await generateKeyPair()));
  const jwk = await publicJwk(pair.publicKey);
  return { privateKey: pair.privateKey, jwk, id: await thumbprint(jwk) };
}

/**
 * @param {import("./store.js").Store} store
 * @returns {Promise<import("./agreement.js").AgreementKey>} what it agrees on verification codes with
 */
export async function agreementKey(store) {
  return (await store.get("device", "agreement")) ?? (await store.claim("agreement", await generateAgreementKey()));
}
