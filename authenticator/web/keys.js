/** The device's keys: P-256 pairs, generated once, with non-extractable private keys (docs/protocol.md, section 1). */

import { generateAgreementKey } from "./agreement.js";
import { generateKeyPair, publicJwk, thumbprint } from "./jose.js";

/**
 * @param {import("./store.js").Store} store
 * @returns {Promise<import("./requests.js").DeviceKey>} the signing key; its thumbprint is the device's id
 */
export async function deviceKey(store) {
  const pair = (await store.get("device", "key")) ?? (await store.claim("key", await generateKeyPair()));
  const jwk = await publicJwk(pair.publicKey);
  return { privateKey: pair.privateKey, jwk, id: await thumbprint(jwk) };
}

/**
 * @param {import("./store.js").Store} store
 * @returns {Promise<import("./agreement.js").AgreementKey>} the key for verification codes
 */
export async function agreementKey(store) {
  return (await store.get("device", "agreement")) ?? (await store.claim("agreement", await generateAgreementKey()));
}
