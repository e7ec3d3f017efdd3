/** The choice of the screen: a request that waits for an answer goes before the route. */

import { readRoute } from "./routes.js";
import { historyView } from "./views/history.js";
import { homeView } from "./views/home.js";
import { phraseState, phraseView } from "./views/phrase.js";
import { removeView } from "./views/remove.js";
import { requestView } from "./views/request.js";
import { resultView } from "./views/result.js";
import { settingsView } from "./views/settings.js";
import { welcomeView } from "./views/welcome.js";

/**
 * @typedef {object} Screen
 * @property {HTMLElement} node
 * @property {() => void} update called each second and after each change
 * @property {() => void} [close]
 * @property {HTMLElement} [first] gets the focus when the screen opens, instead of the heading
 */
/** @typedef {{key: string, make: () => Screen, tab?: string, asks?: boolean}} Choice a new key means a new screen */
/** @typedef {{notify: (text: string) => void, goHome: () => void}} Actions */

/**
 * @param {import("./phone.js").Phone} phone
 * @param {Actions} actions
 * @returns {Choice}
 */
export function chooseScreen(phone, actions) {
  const { outcome, waiting } = phone.queue;
  if (phone.name === "") return { key: "welcome", make: () => welcomeView(phone) };
  if (outcome !== undefined) {
    const { claims, ending } = outcome;
    return { key: `result ${claims.jti} ${ending}`, make: () => resultView(phone, outcome, () => leaveResult(phone, actions)) };
  }
  if (waiting.length > 0) {
    const { claims } = waiting[0];
    return { key: `request ${claims.jti}`, asks: true, make: () => requestView(phone, claims) };
  }
  return chooseByRoute(phone, actions);
}

/**
 * @param {import("./phone.js").Phone} phone
 * @param {Actions} actions
 * @returns {Choice}
 */
function chooseByRoute(phone, { notify, goHome }) {
  const { name, issuer, accountId } = readRoute(location.hash);
  const account = phone.accounts.find((each) => each.issuer === issuer && each.account_id === accountId);
  if (name === "new-account") {
    return { key: `phrase ${phraseState(phone)} ${phone.phrase?.text}`, make: () => phraseView(phone, goHome) };
  }
  if (name === "remove" && account !== undefined) {
    const leave = (/** @type {string | undefined} */ text) => {
      goHome();
      if (text !== undefined) notify(text);
    };
    return { key: `remove ${issuer} ${accountId}`, make: () => removeView(phone, account, leave) };
  }
  if (name === "history") return { key: name, tab: name, make: () => historyView(phone) };
  if (name === "settings") return { key: name, tab: name, make: () => settingsView(phone, notify) };
  return { key: "home", tab: "home", make: () => homeView(phone, notify) };
}

/**
 * @param {import("./phone.js").Phone} phone
 * @param {Actions} actions
 */
function leaveResult({ queue }, { goHome }) {
  if (queue.outcome?.claims.purpose === "pairing") goHome();
  queue.dismiss();
}
