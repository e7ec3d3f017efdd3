/** The page for an unsupported browser or address. */

import { el, heading } from "../dom.js";
import { icon } from "../icons.js";

/**
 * @param {"insecure" | "storage"} reason
 * @returns {HTMLElement}
 */
export function unfitView(reason) {
  return el(
    "div",
    { class: "stack", testid: `unfit-${reason}` },
    el("div", { class: "emblem large warning" }, icon("alert")),
    ...(reason === "insecure" ? insecure() : storage()),
  );
}

function insecure() {
  return [
    heading("This address is not secure"),
    el(
      "p",
      { class: "lead" },
      "The authenticator creates a key that never leaves your phone. Browsers allow this only over https, or at ",
      "localhost on the same machine.",
    ),
    el("h2", {}, "What to do"),
    el(
      "ul",
      { class: "steps" },
      el("li", {}, "If you were given an address that starts with https, open that one."),
      el("li", {}, "On the machine that runs the service, open it at localhost."),
      el("li", {}, "If you run the service, put it behind TLS for phones on your network. The README says how."),
    ),
    el("p", { class: "hint" }, `You are at ${location.origin}.`),
  ];
}

function storage() {
  return [
    heading("This browser cannot store data"),
    el(
      "p",
      { class: "lead" },
      "The authenticator must store its key in this browser, but the browser does not allow it.",
    ),
    el("h2", {}, "What to do"),
    el(
      "ul",
      { class: "steps" },
      el("li", {}, "Leave private browsing and open this page in a normal window."),
      el("li", {}, "Allow this site to store data in the browser's settings."),
      el("li", {}, "Update an old browser."),
    ),
  ];
}
