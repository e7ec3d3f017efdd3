/** The requests that ended, and the accounts that were removed. */

import { el, heading } from "../dom.js";
import { timeOfDay } from "../times.js";
import { endingText } from "../words.js";

const GOOD = ["accepted", "approved"];
const BAD = ["reported", "refused", "unsent", "unpaired"];

/**
 * @param {import("../phone.js").Phone} phone
 * @returns {import("../screens.js").Screen}
 */
export function historyView(phone) {
  const content = el("div", {});
  /** @type {import("../store.js").Entry[] | undefined} */
  let shown;
  const update = () => {
    if (phone.history === shown) return;
    shown = phone.history;
    content.replaceChildren(
      shown.length === 0
        ? el("p", { class: "lead" }, "Nothing yet. The requests that you answer on this phone appear here.")
        : el("ul", { class: "cards" }, ...shown.map(row)),
    );
  };
  update();
  return { node: el("div", { class: "stack" }, heading("History"), content), update };
}

/** @param {import("../store.js").Entry} entry */
function row({ purpose, service, account_name, browser, asked, at, ending }) {
  const what = { pairing: "Connect to ", login: "Sign in to ", removal: "This phone was removed by " }[purpose];
  const from = browser === undefined ? null : [el("bdi", {}, browser.name), ", ", el("bdi", {}, browser.address)];
  const when = purpose === "removal" ? `Ended ${timeOfDay(asked)}` : `Asked ${timeOfDay(asked)}, ended ${timeOfDay(at)}`;
  const tone = GOOD.includes(ending) ? "good" : BAD.includes(ending) ? "warning" : "plain";
  return el(
    "li",
    { class: "card entry", testid: "history-row" },
    el(
      "div",
      { class: "between" },
      el("bdi", { class: "name" }, account_name),
      el("span", { class: `tag ${tone}` }, endingText(ending)),
    ),
    el("p", { class: "detail" }, what, el("bdi", {}, service)),
    from === null ? null : el("p", { class: "hint" }, ...from),
    el("p", { class: "hint" }, when),
  );
}
