/** Base64url without padding (RFC 4648 section 5, RFC 7515 section 2), UTF-8, and SHA-256 in base64url. */

const ALPHABET = /^[A-Za-z0-9_-]*$/;

/**
 * @param {Uint8Array} bytes
 * @returns {string} base64url without padding
 */
export function encodeBase64url(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * @param {string} text base64url without padding
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {SyntaxError} if it is not base64url, or if other text decodes to the same bytes (section 3.5)
 */
export function decodeBase64url(text) {
  if (!ALPHABET.test(text) || text.length % 4 === 1) throw new SyntaxError("not base64url");
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (encodeBase64url(bytes) !== text) throw new SyntaxError("the base64url is not canonical");
  return bytes;
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>} its UTF-8 bytes
 */
export function encodeText(text) {
  return new TextEncoder().encode(text);
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes UTF-8
 * @returns {string}
 * @throws {TypeError} if they are not UTF-8
 */
export function decodeText(bytes) {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<string>} SHA-256, base64url, 43 characters
 */
export async function digest(bytes) {
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
