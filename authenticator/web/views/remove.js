/** The confirmation before an account is removed from this phone. */

import { button, el, heading } from "../dom.js";

/**
 * @param {import("../phone.js").Phone} phone
 * @param {import("../store.js").Account} account
 * @param {(text?: string) => void} leave
 * @returns {import("../screens.js").Screen}
 */
export function removeView(phone, account, leave) {
  const { account_name, service } = account;
  const remove = async () => {
    await phone.removeAccount(account);
    leave(`${account_name} was removed from this phone.`);
  };
  const node = el(
    "div",
    { class: "stack" },
    heading("Remove this account?"),
    el("p", { class: "lead" }, el("bdi", { class: "value" }, account_name), ", ", el("bdi", { class: "value" }, service)),
    el(
      "p",
      {},
      "This phone will no longer show requests for this account. The account does not change: it keeps sending requests to ",
      "this phone until you remove the phone there, too. Pair another phone first, or you may lock yourself out.",
    ),
    el(
      "div",
      { class: "actions" },
      button("Keep it", () => leave(), { class: "primary", testid: "keep" }),
      button("Remove from this phone", remove, { class: "quiet danger", testid: "confirm-remove" }),
    ),
  );
  return { node, update: () => {} };
}
