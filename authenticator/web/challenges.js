/** Challenges: their claims, and whether this device may show them (docs/protocol.md, section 6). */

import { readAgreementKey } from "./agreement.js";
import { SignatureError, verifyEmbedded } from "./jose.js";
import { isAgreementKey, isFlag, isIdentifier, isSecond, isText, isThumbprint } from "./shapes.js";

const CHALLENGE_TYPE = "countersign-challenge+jws";

/** @typedef {{issuer: string, keys: string[], agreement?: import("./jose.js").PublicJwk | null}} PinnedIssuer */
/** @typedef {{name: string, address: string, place?: string, first_time?: boolean}} Browser */
/**
 * @typedef {object} Claims
 * @property {string} iss
 * @property {string} aud
 * @property {string} jti
 * @property {number} iat seconds since 1970
 * @property {number} exp seconds since 1970
 * @property {"pairing" | "login"} purpose
 * @property {string} reply_key
 * @property {string} service
 * @property {string} account_id
 * @property {string} account_name
 * @property {Browser} browser
 * @property {string} [action] what is approved, if it is not a sign-in
 * @property {boolean} [number_matching] whether an approval needs the number that the browser shows
 * @property {PinnedIssuer} [login_issuer] in a pairing challenge
 */
/**
 * @typedef {object} Trust
 * @property {(claims: Claims) => Promise<readonly string[] | null>} known thumbprints that need no request; null if nothing
 *   from this issuer may be shown
 * @property {(claims: Claims) => Promise<readonly string[]>} published thumbprints of the issuer's current keys
 */

/** A challenge that must not be shown, or a statement that must not be trusted. */
export class ChallengeError extends Error {
  name = "ChallengeError";
}

/** A challenge that seems to have expired. */
export class ExpiredError extends ChallengeError {}

/**
 * @param {string} compact the challenge's JWS
 * @param {object} context
 * @param {string} context.deviceId
 * @param {number} context.now milliseconds since 1970, the service's time; if it is uncertain, the earliest possible one
 * @param {Trust} context.trust
 * @returns {Promise<{claims: Claims, thumbprint: string, rotated: boolean}>} rotated: the key is new
 * @throws {SignatureError | ChallengeError} if it must not be shown
 */
export async function verifyChallenge(compact, { deviceId, now, trust }) {
  const { header, payload, thumbprint } = await verifyEmbedded(compact, CHALLENGE_TYPE);
  if (header.kid !== thumbprint) throw new SignatureError("the kid is not the thumbprint of the key");
  const claims = readClaims(payload);
  await requirePoint(claims.login_issuer?.agreement);
  if (claims.aud !== deviceId) throw new ChallengeError("it is for another device");
  if (claims.exp * 1000 <= now) throw new ExpiredError("it has expired");
  const known = await trust.known(claims);
  if (known === null) throw new ChallengeError("nothing was paired with its issuer");
  if (known.includes(thumbprint)) return { claims, thumbprint, rotated: false };
  const published = await trust.published(claims);
  if (!published.includes(thumbprint)) throw new ChallengeError("its issuer does not publish its key");
  return { claims, thumbprint, rotated: true };
}

/**
 * @param {Record<string, unknown>} payload
 * @returns {Claims}
 */
function readClaims(payload) {
  const claims = /** @type {Claims} */ (/** @type {unknown} */ (payload));
  const { jti, aud, iat, exp, purpose, reply_key, account_id, browser, number_matching, login_issuer } = claims;
  const valid =
    [jti, reply_key, account_id].every(isIdentifier) &&
    isThumbprint(aud) &&
    [iat, exp].every(isSecond) &&
    [claims.iss, claims.service, claims.account_name, browser?.name, browser?.address].every(isText) &&
    [browser.place ?? "", claims.action ?? ""].every(isText) &&
    [browser.first_time, number_matching].every(isFlag) &&
    (purpose === "login" || (purpose === "pairing" && isPinnedIssuer(login_issuer)));
  if (!valid) throw new SignatureError("the claims are not a challenge's");
  return claims;
}

/** @param {import("./jose.js").PublicJwk | null | undefined} agreement */
async function requirePoint(agreement) {
  if (!agreement) return;
  try {
    await readAgreementKey(agreement);
  } catch {
    throw new SignatureError("the agreement key is not a point of the curve");
  }
}

/** @param {PinnedIssuer | undefined} value */
function isPinnedIssuer(value) {
  if (!isText(value?.issuer) || !Array.isArray(value?.keys) || !value.keys.every(isThumbprint)) return false;
  return (value.agreement ?? null) === null || isAgreementKey(value.agreement);
}
