/** The first start: an introduction, and the phone's name. */

import { el, heading } from "../dom.js";
import { icon } from "../icons.js";
import { MAX_NAME, suggestedName } from "../names.js";

/**
 * @param {import("../phone.js").Phone} phone
 * @returns {import("../screens.js").Screen}
 */
export function welcomeView(phone) {
  const name = el("input", {
    id: "name",
    maxlength: MAX_NAME,
    required: true,
    autocomplete: "off",
    value: suggestedName(navigator.userAgent),
    "aria-describedby": "name-hint",
    testid: "device-name",
  });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (name.value.trim() !== "") void phone.rename(name.value.trim());
  };
  const node = el(
    "form",
    { class: "stack", submit },
    el(
      "div",
      { class: "grow middle centred" },
      el("div", { class: "emblem large" }, icon("mark")),
      heading("Welcome"),
      el("p", { class: "lead" }, "With this app, you approve your sign-ins on your phone."),
    ),
    el(
      "div",
      { class: "field" },
      el("label", { for: "name" }, "What is this phone called?"),
      name,
      el("p", { id: "name-hint", class: "hint" }, "You will see this name at your computer."),
    ),
    el("div", { class: "actions" }, el("button", { class: "primary", testid: "continue" }, "Continue")),
  );
  return { node, update: () => {} };
}
