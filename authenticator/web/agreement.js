/**
 * Key agreement of a phone and a login service while they pair: the key of the account's verification codes, by P-256 ECDH
 * and HKDF-SHA-256 (docs/protocol.md, section 9). WebCrypto derives the keys, so scripts never hold a secret.
 */

import { encodeText } from "./encoding.js";
import { publicJwk } from "./jose.js";

const CURVE = { name: "ECDH", namedCurve: "P-256" };
/** 160 bits, as RFC 4226 section 4, requirement R6, recommends. */
const CODE_KEY = { name: "HMAC", hash: "SHA-1", length: 160 };
const INFO = "countersign verification code v1\0";

/** @typedef {import("./jose.js").PublicJwk} PublicJwk */
/** @typedef {{privateKey: CryptoKey, jwk: PublicJwk}} AgreementKey */
/** @typedef {{jwk: PublicJwk, codeKey: CryptoKey}} Agreed the phone's public key for the service, and the key for the codes */

/** @returns {Promise<AgreementKey>} a new key pair whose private half never leaves the browser */
export async function generateAgreementKey() {
  const usages = /** @type {const} */ (["deriveKey"]);
  const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(CURVE, false, usages));
  const { kty, crv, x, y } = await publicJwk(pair.publicKey);
  return { privateKey: pair.privateKey, jwk: { kty, crv, x, y } };
}

/**
 * @param {PublicJwk} jwk a peer's
 * @returns {Promise<CryptoKey>}
 * @throws {DOMException} if it is not a point of the curve
 */
export function readAgreementKey({ kty, crv, x, y }) {
  return crypto.subtle.importKey("jwk", { kty, crv, x, y }, CURVE, true, []);
}

/**
 * @param {CryptoKey} privateKey this phone's
 * @param {PublicJwk} peer the login service's
 * @param {string} pairingId the pairing in which the keys are exchanged
 * @returns {Promise<CryptoKey>} a non-extractable HMAC-SHA-1 key; the service derives the same
 * @throws {DOMException} if the peer's key is not a point of the curve
 */
export async function deriveCodeKey(privateKey, peer, pairingId) {
  const theirs = await readAgreementKey(peer);
  const shared = await crypto.subtle.deriveKey({ name: "ECDH", public: theirs }, privateKey, "HKDF", false, ["deriveKey"]);
  const expand = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encodeText(INFO + pairingId) };
  return crypto.subtle.deriveKey(expand, shared, CODE_KEY, false, ["sign"]);
}

/**
 * @param {AgreementKey} key this phone's
 * @param {import("./challenges.js").Claims} claims of the approved challenge
 * @returns {Promise<Agreed | undefined>} undefined unless it is a pairing with a service that takes codes
 */
export async function agree({ privateKey, jwk }, { login_issuer, jti }) {
  const peer = login_issuer?.agreement;
  return peer ? { jwk, codeKey: await deriveCodeKey(privateKey, peer, jti) } : undefined;
}
