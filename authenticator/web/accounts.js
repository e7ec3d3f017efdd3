/** Accounts that are connected to this phone: what is kept of them, and what ends with them. */

/**
 * @param {import("./store.js").KeptAnswer} answer which accepted a pairing
 * @param {number} since milliseconds since 1970
 * @returns {import("./store.js").Account | undefined} undefined if it names nobody to pin
 */
export function accountOf({ claims, agreed }, since) {
  const { jti, account_id, account_name, service, login_issuer } = claims;
  if (login_issuer === undefined) return undefined;
  const { issuer, keys } = login_issuer;
  return { issuer, account_id, account_name, service, keys, since, pairing_id: jti, codeKey: agreed?.codeKey };
}

/**
 * @param {import("./store.js").Entry} parting
 * @param {import("./challenges.js").Claims} claims
 * @returns {boolean} whether the account asked this before its pairing ended; what it asks later is of a later pairing
 */
export function endsWith({ issuer, account_id, asked }, claims) {
  const isSame = claims.account_id === account_id && (claims.login_issuer?.issuer ?? claims.iss) === issuer;
  return isSame && claims.iat * 1000 <= asked;
}
