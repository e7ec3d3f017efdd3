/** Statements that a pairing ended, signed by the account's service (docs/protocol.md, section 10). */

import { ChallengeError } from "./challenges.js";
import { SignatureError, verifyEmbedded } from "./jose.js";
import { isIdentifier, isSecond, isText, isThumbprint } from "./shapes.js";

const UNPAIRED_TYPE = "countersign-unpaired+jws";

/**
 * @typedef {object} Unpaired
 * @property {string} iss
 * @property {string} aud
 * @property {number} iat seconds since 1970
 * @property {string} account_id
 * @property {string} pairing_id
 */

/**
 * @param {string} compact its JWS
 * @param {object} context
 * @param {string} context.deviceId
 * @param {(statement: Unpaired) => Promise<import("./store.js").Account | undefined>} context.find the stored account
 * @param {(issuer: string) => Promise<readonly string[]>} context.published thumbprints of the issuer's current keys
 * @returns {Promise<Unpaired | undefined>} undefined if this phone does not have the pairing
 * @throws {SignatureError | ChallengeError} if it must not be trusted
 */
export async function verifyUnpaired(compact, { deviceId, find, published }) {
  const { header, payload, thumbprint } = await verifyEmbedded(compact, UNPAIRED_TYPE);
  if (header.kid !== thumbprint) throw new SignatureError("the kid is not the thumbprint of the key");
  const statement = readStatement(payload);
  if (statement.aud !== deviceId) throw new ChallengeError("it is for another device");
  const account = await find(statement);
  if (account?.pairing_id !== statement.pairing_id) return undefined;
  const isTrusted = account.keys.includes(thumbprint) || (await published(statement.iss)).includes(thumbprint);
  if (!isTrusted) throw new ChallengeError("its issuer does not publish its key");
  return statement;
}

/**
 * @param {Record<string, unknown>} payload
 * @returns {Unpaired}
 */
function readStatement(payload) {
  const { iss, aud, iat, account_id, pairing_id } = payload;
  const valid = isText(iss) && isThumbprint(aud) && isSecond(iat) && [account_id, pairing_id].every(isIdentifier);
  if (!valid) throw new SignatureError("the claims are not a statement's");
  return /** @type {Unpaired} */ (/** @type {unknown} */ (payload));
}
