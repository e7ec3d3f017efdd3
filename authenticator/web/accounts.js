/** Accounts that are paired with this phone, and the challenges that end with a pairing. */

/**
 * @param {import("./store.js").KeptAnswer} answer to a pairing, accepted
 * @param {number} since milliseconds since 1970
 * @returns {import("./store.js").Account | undefined} undefined if the challenge names no issuer
 */
export function accountOf({ claims, agreed }, since) {
  const { jti, account_id, account_name, service, login_issuer } = claims;
  if (login_issuer === undefined) return undefined;
  const { issuer, keys } = login_issuer;
  return { issuer, account_id, account_name, service, keys, since, pairing_id: jti, codeKey: agreed?.codeKey };
}

/**
 * @param {import("./store.js").Entry} removal
 * @param {import("./challenges.js").Claims} claims
 * @returns {boolean} whether the challenge is the account's, from before its pairing ended; later ones are of a later pairing
 */
export function endedBy({ issuer, account_id, asked }, claims) {
  const isSame = claims.account_id === account_id && (claims.login_issuer?.issuer ?? claims.iss) === issuer;
  return isSame && claims.iat * 1000 <= asked;
}
