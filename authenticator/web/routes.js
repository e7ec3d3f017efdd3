/** The app's routes, in the fragment of the page's URL. */

/** @typedef {{name: string, issuer?: string, accountId?: string}} Route */

const NAMES = ["home", "new-account", "history", "settings", "remove"];

/**
 * @param {string} hash for example "#/settings"
 * @returns {Route} home for an unknown one
 */
export function readRoute(hash) {
  const [name = "", issuer = "", accountId = ""] = hash.replace(/^#\/?/, "").split("/").map(decode);
  return NAMES.includes(name) ? { name, issuer, accountId } : { name: "home" };
}

/**
 * @param {import("./store.js").Account} account
 * @returns {string} the route of the screen that removes it
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
