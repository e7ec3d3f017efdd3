/** The frame around every screen: the name, the connection, the tabs, notices and banners. */

import { button, el, setText } from "./dom.js";
import { icon } from "./icons.js";
import { connectionText } from "./words.js";

const NOTICE_MS = 8000;
const TABS = /** @type {const} */ ([
  ["home", "#/", "Accounts", "accounts"],
  ["history", "#/history", "History", "history"],
  ["settings", "#/settings", "Settings", "settings"],
]);

export class Frame {
  #product = el("span", { class: "product", testid: "product" });
  #state = el("span", { role: "status" });
  #seconds = el("span", { "aria-hidden": "true" });
  #retry;
  #connection;
  #tabs;
  #notices = el("div", { class: "notices", role: "status", testid: "notice" });
  #banners = el("div", { class: "banners", role: "status", testid: "banner" });

  /** @param {{onRetry: () => void}} listeners */
  constructor({ onRetry }) {
    this.#retry = button("Try now", onRetry, { class: "link", testid: "retry" });
    const text = el("span", { testid: "connection" }, this.#state, this.#seconds);
    this.#connection = el("div", { class: "connection" }, el("span", { class: "dot" }), text, this.#retry);
    this.#tabs = el(
      "nav",
      { "aria-label": "Main" },
      ...TABS.map(([, href, text, name]) => el("a", { href, testid: `tab-${name}` }, icon(name), el("span", {}, text))),
    );
    this.main = el("main", {});
    const header = el("header", {}, el("span", { class: "mark" }, icon("mark")), this.#product);
    const announcer = el("div", { id: "announcer", class: "unseen", role: "status" });
    const parts = [header, this.#connection, this.#banners, this.main, this.#notices, this.#tabs, announcer];
    this.node = el("div", { class: "app" }, ...parts);
  }

  /**
   * @param {object} shown
   * @param {string} shown.product
   * @param {import("./socket.js").ConnectionState} shown.connection
   * @param {string | undefined} shown.tab none on a screen with a single task
   * @param {boolean} shown.asks whether a request waits for an answer
   * @param {boolean} shown.named whether the phone has a name, and so connects
   */
  update({ product, connection, tab, asks, named }) {
    setText(this.#product, product);
    const waits = connection.status === "waiting" && navigator.onLine;
    setText(this.#state, connectionText(connection, navigator.onLine));
    const seconds = Math.max(1, Math.ceil(((connection.retryAt ?? 0) - Date.now()) / 1000));
    setText(this.#seconds, waits ? ` in ${seconds} s` : "");
    this.#retry.hidden = !waits;
    // On a screen with a single task, only a lost connection is shown.
    this.#connection.hidden = !named || (tab === undefined && connection.status === "connected" && navigator.onLine);
    this.#connection.dataset.status = navigator.onLine ? connection.status : "offline";
    this.#tabs.hidden = tab === undefined;
    this.#banners.hidden = asks;
    for (const [index, [name]] of TABS.entries()) {
      const link = this.#tabs.children[index];
      if (name === tab) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  /** @param {string} text shown for a few seconds */
  showNotice(text) {
    const notice = el("p", { class: "notice" }, text);
    setTimeout(() => notice.remove(), NOTICE_MS);
    this.#notices.replaceChildren(notice);
  }

  /**
   * @param {string} text shown until the person dismisses it
   * @param {{label: string, act: () => void}} [action]
   */
  showBanner(text, { label, act } = { label: "OK", act: () => {} }) {
    const banner = el("p", { class: "banner" }, el("span", {}, text));
    const done = () => {
      banner.remove();
      act();
    };
    banner.append(button(label, done, { class: "link" }));
    const same = [...this.#banners.children].find((other) => other.textContent === banner.textContent);
    same?.remove();
    this.#banners.append(banner);
  }
}
