/** Accounts that are connected to this phone: how they begin. */

/**
 * @param {import("./store.js").KeptAnswer} answer which accepted a pairing
 * @param {number} since milliseconds since 1970
 * @returns {import("./store.js").Account | undefined} what is kept of it; undefined if it names nobody to pin
 */
export function accountOf({ claims, agreed }, since) {
  const { jti, account_id, account_name, service, login_issuer } = claims;
  if (login_issuer === undefined) return undefined;
  const { issuer, keys } = login_issuer;
  return { issuer, account_id, account_name, service, keys, since, pairing_id: jti, codeKey: agreed?.codeKey };
}
