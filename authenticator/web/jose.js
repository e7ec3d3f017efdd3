/** ES256 signatures in compact form (RFC 7515 section 7.1) and JWK thumbprints (RFC 7638), by WebCrypto. */

import { decodeBase64url, decodeText, digest, encodeBase64url, encodeText } from "./encoding.js";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const ES256 = { name: "ECDSA", hash: "SHA-256" };
const COORDINATE_BYTES = 32;
const MAX_LENGTH = 8192;

/** @typedef {{crv: string, kty: string, x: string, y: string}} PublicJwk */
/** @typedef {{header: Record<string, unknown>, thumbprint: string, payload: Record<string, unknown>}} Verified */

/** An invalid signature, or a JWS or key that does not fit the protocol. */
export class SignatureError extends Error {
  name = "SignatureError";
}

/** @returns {Promise<CryptoKeyPair>} a new key pair whose private half never leaves the browser */
export function generateKeyPair() {
  return /** @type {Promise<CryptoKeyPair>} */ (crypto.subtle.generateKey(CURVE, false, ["sign", "verify"]));
}

/**
 * @param {CryptoKey} key a P-256 public key
 * @returns {Promise<PublicJwk>} with exactly the protocol's members
 */
export async function publicJwk(key) {
  const { crv, kty, x, y } = /** @type {PublicJwk} */ (await crypto.subtle.exportKey("jwk", key));
  return { crv, kty, x, y };
}

/**
 * @param {PublicJwk} jwk
 * @returns {Promise<string>} RFC 7638: a device's id, a key's kid
 */
export function thumbprint({ crv, kty, x, y }) {
  return digest(encodeText(JSON.stringify({ crv, kty, x, y })));
}

/**
 * @param {CryptoKey} privateKey
 * @param {Record<string, unknown>} header the protected header's members beside alg
 * @param {Record<string, unknown>} payload
 * @returns {Promise<string>} the compact JWS
 */
export async function sign(privateKey, header, payload) {
  const parts = [{ alg: "ES256", ...header }, payload];
  const input = parts.map((part) => encodeBase64url(encodeText(JSON.stringify(part)))).join(".");
  const signature = await crypto.subtle.sign(ES256, privateKey, encodeText(input));
  return `${input}.${encodeBase64url(new Uint8Array(signature))}`;
}

/**
 * Check a compact JWS against the public key in its own header. The caller must compare the key's thumbprint with a
 * trusted one.
 *
 * @param {string} compact
 * @param {string} typ the type that its header must state
 * @returns {Promise<Verified>}
 * @throws {SignatureError} if it is invalid
 */
export async function verifyEmbedded(compact, typ) {
  try {
    const { header, payload, signature, input } = split(compact);
    if (header.alg !== "ES256" || header.typ !== typ || "crit" in header) throw new SignatureError("wrong alg or typ");
    const jwk = requireP256(header.jwk);
    const key = await crypto.subtle.importKey("jwk", jwk, CURVE, true, ["verify"]);
    if (!(await crypto.subtle.verify(ES256, key, signature, input))) throw new SignatureError("altered");
    return { header, thumbprint: await thumbprint(jwk), payload };
  } catch (error) {
    if (error instanceof SignatureError) throw error;
    throw new SignatureError(`not a JWS of this protocol: ${error}`);
  }
}

/** @param {string} compact */
function split(compact) {
  const parts = compact.split(".");
  if (parts.length !== 3 || compact.length > MAX_LENGTH) throw new SignatureError("not a compact JWS");
  const [header, payload, signature] = parts.map(decodeBase64url);
  const input = encodeText(compact.slice(0, compact.lastIndexOf(".")));
  return { header: readObject(header), payload: readObject(payload), signature, input };
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Record<string, unknown>}
 */
function readObject(bytes) {
  const value = JSON.parse(decodeText(bytes));
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new SignatureError("not a JSON object");
  return value;
}

/**
 * @param {unknown} value
 * @returns {PublicJwk}
 */
export function requireP256(value) {
  const { crv, kty, x, y } = /** @type {PublicJwk} */ (value ?? {});
  if (kty !== "EC" || crv !== "P-256") throw new SignatureError("the key is not on the curve P-256");
  for (const coordinate of [x, y]) {
    if (decodeBase64url(coordinate).length !== COORDINATE_BYTES) throw new SignatureError("not a P-256 coordinate");
  }
  return { crv, kty, x, y };
}
