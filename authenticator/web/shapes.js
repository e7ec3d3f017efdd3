/** Checks of the members of challenges and statements. */

const IDENTIFIER = /^[A-Za-z0-9._~@+-]{1,128}$/;
const BYTES_32 = /^[A-Za-z0-9_-]{43}$/;
const MAX_TEXT = 200;
/** Seconds up to the year 2100. */
const LAST_SECOND = 4_102_444_800;

/** @param {unknown} value */
export function isText(value) {
  return typeof value === "string" && value.length <= MAX_TEXT;
}

/** @param {unknown} value */
export function isIdentifier(value) {
  return typeof value === "string" && IDENTIFIER.test(value);
}

/** @param {unknown} value */
export function isSecond(value) {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LAST_SECOND;
}

/** @param {unknown} value */
export function isFlag(value) {
  return value === undefined || typeof value === "boolean";
}

/** @param {unknown} value */
export function isThumbprint(value) {
  return typeof value === "string" && BYTES_32.test(value);
}

/** @param {import("./jose.js").PublicJwk | null | undefined} value */
export function isAgreementKey(value) {
  // A coordinate is as long as a thumbprint.
  return value?.kty === "EC" && value.crv === "P-256" && isThumbprint(value.x) && isThumbprint(value.y);
}
