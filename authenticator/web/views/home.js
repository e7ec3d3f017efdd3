/** The connected accounts with their verification codes, and the button for a new one. */

import { button, el, heading } from "../dom.js";
import { icon } from "../icons.js";
import { day } from "../times.js";
import { codeView } from "./code.js";

/**
 * @param {import("../phone.js").Phone} phone
 * @param {(text: string) => void} notify
 * @returns {import("../screens.js").Screen}
 */
export function homeView(phone, notify) {
  const content = el("div", { class: "grow" });
  const open = () => {
    location.hash = "#/new-account";
  };
  const node = el(
    "div",
    { class: "stack" },
    heading("Accounts"),
    content,
    el("div", { class: "actions floating" }, button("+ New Account", open, { class: "primary", testid: "new-account" })),
  );
  let shown = "";
  /** @type {{node: HTMLElement, update: () => void}[]} */
  let rows = [];
  const draw = () => {
    rows = phone.accounts.map((account) => accountRow(account, { now: () => phone.service.now(), notify }));
    const list = el("ul", { class: "cards" }, ...rows.map((row) => row.node));
    content.replaceChildren(rows.length === 0 ? emptyState() : list);
  };
  const update = () => {
    const accounts = JSON.stringify(phone.accounts);
    if (accounts !== shown) draw();
    shown = accounts;
    for (const row of rows) row.update();
  };
  update();
  return { node, update };
}

/**
 * @param {import("../store.js").Account} account
 * @param {Parameters<typeof codeView>[1]} context
 */
function accountRow(account, context) {
  const { service, account_name, since } = account;
  const code = codeView(account, context);
  const about = el(
    "div",
    { class: "account" },
    el("span", { class: "initial", "aria-hidden": "true" }, [...service][0]?.toUpperCase() ?? ""),
    el(
      "div",
      {},
      el("bdi", { class: "name" }, account_name),
      el("bdi", { class: "detail" }, service),
      el("p", { class: "hint" }, `Connected since ${day(since)}`),
    ),
  );
  return { node: el("li", { class: "card part", testid: "account-row" }, about, code.node), update: code.update };
}

function emptyState() {
  const steps = [
    "Sign in at your computer with your user name and password.",
    "When it asks for a pairing phrase, tap +\u00a0New\u00a0Account here.",
    "Type the two words at your computer, then accept on this phone.",
  ];
  return el(
    "div",
    { class: "empty" },
    el("div", { class: "emblem" }, icon("accounts")),
    el("h2", {}, "No accounts yet"),
    el("p", { class: "lead" }, "Connect your first one in three steps."),
    el("ol", { class: "steps" }, ...steps.map((step) => el("li", {}, step))),
  );
}
