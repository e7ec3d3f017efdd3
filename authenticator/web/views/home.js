/** The connected accounts, and the way to a new one. */

import { button, el, heading } from "../dom.js";
import { icon } from "../icons.js";
import { day } from "../times.js";

/**
 * @param {import("../phone.js").Phone} phone
 * @returns {import("../screens.js").Screen}
 */
export function homeView(phone) {
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
  /** @type {import("../store.js").Account[] | undefined} */
  let shown;
  const update = () => {
    if (phone.accounts === shown) return;
    shown = phone.accounts;
    content.replaceChildren(shown.length === 0 ? emptyState() : el("ul", { class: "cards" }, ...shown.map(accountRow)));
  };
  update();
  return { node, update };
}

/** @param {import("../store.js").Account} account */
function accountRow({ service, account_name, since }) {
  return el(
    "li",
    { class: "card account", testid: "account-row" },
    el("span", { class: "initial", "aria-hidden": "true" }, [...service][0]?.toUpperCase() ?? ""),
    el(
      "div",
      {},
      el("bdi", { class: "name" }, account_name),
      el("bdi", { class: "detail" }, service),
      el("p", { class: "hint" }, `Connected since ${day(since)}`),
    ),
  );
}

function emptyState() {
  const steps = [
    "Sign in at your computer with your name and password.",
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
