/** The app's own addresses, after the # of the page's. */

/** @typedef {{name: string, issuer?: string, accountId?: string}} Route */

const NAMES = ["home", "new-account", "history", "settings", "remove"];

/**
 * @param {string} hash such as "#/settings"
 * @returns {Route} home, if there is none such
 */
export function readRoute(hash) {
  const [name = "", issuer = "", accountId = ""] = hash.replace(/^#\/?/, "").split("/").map(decode);
  return NAMES.includes(name) ? { name, issuer, accountId } : { name: "home" };
}

/**
 * @param {import("./store.js").Account} account
 * @returns {string} where it can be removed
 */
export function removalLink({ issuer, account_id }) {
  return `#/remove/${encodeURIComponent(issuer)}/${encodeURIComponent(account_id)}`;
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
