/** The phone's name, notifications, accounts to remove, and the device id. */

import { notificationPermission } from "../attention.js";
import { button, el, heading } from "../dom.js";
import { MAX_NAME } from "../names.js";
import { removalLink } from "../routes.js";

/**
 * @param {import("../phone.js").Phone} phone
 * @param {(text: string) => void} notify
 * @returns {import("../screens.js").Screen}
 */
export function settingsView(phone, notify) {
  const accounts = el("div", {});
  /** @type {import("../store.js").Account[] | undefined} */
  let shown;
  const update = () => {
    if (phone.accounts === shown) return;
    shown = phone.accounts;
    accounts.replaceChildren(accountList(shown));
  };
  update();
  const node = el(
    "div",
    { class: "stack" },
    heading("Settings"),
    section("This phone", nameForm(phone, notify)),
    section("Notifications", notifications()),
    section("Remove an account", accounts),
    section(
      "Device id",
      el("p", { class: "hint" }, "Services identify this phone by it. It is computed from the phone's public key."),
      el("p", { class: "code", translate: "no", testid: "device-id" }, phone.id),
    ),
  );
  return { node, update };
}

/**
 * @param {string} title
 * @param {...Node} content
 */
function section(title, ...content) {
  return el("section", { class: "card" }, el("h2", {}, title), ...content);
}

/**
 * @param {import("../phone.js").Phone} phone
 * @param {(text: string) => void} notify
 */
function nameForm(phone, notify) {
  const properties = { id: "name", maxlength: MAX_NAME, required: true, autocomplete: "off", value: phone.name };
  const name = el("input", { ...properties, testid: "device-name" });
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (name.value.trim() === "") return;
    await phone.rename(name.value.trim());
    notify("The name was saved.");
  };
  return el(
    "form",
    { class: "row", submit },
    el("label", { for: "name", class: "full" }, "Name shown on your computer"),
    name,
    el("button", { class: "secondary", testid: "save-name" }, "Save"),
  );
}

function notifications() {
  const box = el("div", { class: "part", testid: "notifications" });
  const show = () => {
    const texts = {
      unsupported: "This browser has no notifications. Keep the app open while you sign in.",
      denied: "Notifications are blocked. Allow them for this site in the browser's settings, then open the app again.",
      granted: "Notifications are on. You get one for each request while the app is in the background.",
      default: "Get a notification for each request while the app is in the background.",
    };
    const permission = notificationPermission();
    const ask = async () => {
      await Notification.requestPermission();
      show();
    };
    const allow = button("Allow notifications", ask, { class: "secondary", testid: "allow-notifications" });
    box.replaceChildren(el("p", {}, texts[permission]), ...(permission === "default" ? [allow] : []));
  };
  show();
  return box;
}

/** @param {import("../store.js").Account[]} accounts */
function accountList(accounts) {
  if (accounts.length === 0) return el("p", {}, "No accounts are connected.");
  const rows = accounts.map((account) =>
    el(
      "li",
      { class: "between" },
      el("span", {}, el("bdi", { class: "name" }, account.account_name), el("bdi", { class: "detail" }, account.service)),
      el(
        "a",
        {
          class: "button quiet danger",
          href: removalLink(account),
          testid: "remove-account",
          "aria-label": `Remove ${account.account_name}, ${account.service}`,
        },
        "Remove",
      ),
    ),
  );
  return el("ul", { class: "rows" }, ...rows);
}
