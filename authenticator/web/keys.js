/** The device's key: one P-256 pair, made once, whose private half cannot be read out (docs/protocol.md, section 1). */

import { generateKeyPair, publicJwk, thumbprint } from "./jose.js";

/**
 * @param {import("./store.js").Store} store
 * @returns {Promise<import("./requests.js").DeviceKey>}
 */
export async function deviceKey(store) {
  const pair = (await store.get("device", "key")) ?? (await store.claim("key", await generateKeyPair()));
  const jwk = await publicJwk(pair.publicKey);
  return { privateKey: pair.privateKey, jwk, id: await thumbprint(jwk) };
}
