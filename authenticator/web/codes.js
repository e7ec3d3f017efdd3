/** Verification codes: time-based one-time passwords of six digits, a new one every 30 s (RFC 6238, SHA-1). */

export const STEP_MS = 30_000;
const DIGITS = 6;

/**
 * @param {number} now milliseconds since 1970
 * @returns {number} the time step, whole steps since 1970 (RFC 6238 section 4.2)
 */
export function stepAt(now) {
  return Math.floor(now / STEP_MS);
}

/**
 * @param {CryptoKey} key for HMAC-SHA-1
 * @param {number} step
 * @returns {Promise<string>} the code of a time step (RFC 4226 section 5.3)
 */
export async function codeAt(key, step) {
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(step));
  const mac = new DataView(await crypto.subtle.sign("HMAC", key, counter.buffer));
  const offset = mac.getUint8(mac.byteLength - 1) & 0x0f;
  const number = mac.getUint32(offset) & 0x7fffffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, "0");
}
