/** Signed requests and answers (docs/protocol.md, sections 3 and 7). */

import { digest, encodeText } from "./encoding.js";
import { sign } from "./jose.js";

export const REQUEST_TYPE = "countersign-request+jws";
export const ANSWER_TYPE = "countersign-answer+jws";

/** @typedef {{privateKey: CryptoKey, jwk: import("./jose.js").PublicJwk, id: string}} DeviceKey */
/** @typedef {"approve" | "deny" | "report"} Verdict */

/**
 * @param {DeviceKey} key
 * @param {object} request
 * @param {string} request.url the exact URL of the request
 * @param {string} request.nonce an unused nonce from the service
 * @param {number} request.now milliseconds since 1970, the service's time
 * @param {Record<string, unknown>} request.payload
 * @param {string} [request.typ]
 * @returns {Promise<string>} the compact JWS
 */
export function signRequest(key, { url, nonce, now, payload, typ = REQUEST_TYPE }) {
  return sign(key.privateKey, { typ, jwk: key.jwk, url, nonce, iat: Math.floor(now / 1000) }, payload);
}

/**
 * @param {string} challenge its compact JWS
 * @param {Verdict} verdict
 * @param {object} [more]
 * @param {number} [more.number] the number that the person entered, for number matching
 * @param {import("./jose.js").PublicJwk} [more.agreement_key] this phone's, in an accepted pairing
 * @returns {Promise<Record<string, unknown>>} the payload of the answer
 */
export async function answerPayload(challenge, verdict, { number, agreement_key } = {}) {
  const answer = { challenge_digest: await digest(encodeText(challenge)), verdict };
  return { ...answer, ...(number !== undefined && { number }), ...(agreement_key !== undefined && { agreement_key }) };
}
