/** The pairing phrase, with the time left. */

import { countdown } from "../countdown.js";
import { button, el, heading } from "../dom.js";
import { icon } from "../icons.js";
import { problemText } from "../words.js";

const PHRASE_MS = 300_000;

/**
 * @param {import("../phone.js").Phone} phone
 * @param {() => void} leave
 * @returns {import("../screens.js").Screen}
 */
export function phraseView(phone, leave) {
  const cancel = () => {
    void phone.forgetPhrase();
    leave();
  };
  const request = () => void phone.requestPhrase();
  const phrase = phone.phrase;
  switch (phraseState(phone)) {
    case "asking":
      return staticScreen(heading("Your pairing phrase"), el("p", { class: "lead" }, "Getting a phrase for you."), [
        button("Cancel", cancel, { class: "secondary", testid: "cancel" }),
      ]);
    case "failed":
      return staticScreen(
        heading("No phrase available"),
        el("p", { class: "lead", testid: "problem" }, problemText(phrase?.problem)),
        [
          button("Try again", request, { class: "primary", testid: "try-again" }),
          button("Cancel", cancel, { class: "secondary", testid: "cancel" }),
        ],
      );
    case "over":
      return staticScreen(
        heading("This phrase has expired"),
        el("p", { class: "lead" }, "A phrase works for a few minutes. Get a new one and type it at your computer."),
        [
          button("New phrase", request, { class: "primary", testid: "new-phrase" }),
          button("Cancel", cancel, { class: "secondary", testid: "cancel" }),
        ],
      );
    default:
      return ready(phone, cancel);
  }
}

/**
 * @param {import("../phone.js").Phone} phone
 * @returns {"asking" | "failed" | "ready" | "over"}
 */
export function phraseState({ phrase, service }) {
  if (phrase === undefined) return "asking";
  if (phrase.status !== "ready") return phrase.status;
  return (phrase.expires ?? 0) > service.now() ? "ready" : "over";
}

/**
 * @param {import("../phone.js").Phone} phone
 * @param {() => void} cancel
 */
function ready({ phrase, service }, cancel) {
  const { text = "", expires = 0 } = phrase ?? {};
  const time = countdown({ ends: expires, length: PHRASE_MS, now: () => service.now() });
  const node = el(
    "div",
    { class: "stack centred" },
    heading("Your pairing phrase"),
    el("p", { class: "lead" }, "Type it on ", el("b", {}, "PAIR A DEVICE"), " at your computer."),
    el("p", { class: "phrase", translate: "no", lang: "en", testid: "phrase" }, text),
    time.node,
    el("p", { class: "hint" }, "Keep this screen open. A request appears here once you have typed the phrase."),
    el("div", { class: "actions" }, button("Cancel", cancel, { class: "secondary", testid: "cancel" })),
  );
  // While the person types at the computer, the phone would turn its screen off and lose the connection.
  const awake = navigator.wakeLock?.request("screen").catch(() => undefined);
  const close = () => void awake?.then((lock) => lock?.release());
  return { node, update: time.update, close };
}

/**
 * @param {HTMLElement} title
 * @param {HTMLElement} text
 * @param {HTMLElement[]} buttons
 */
function staticScreen(title, text, buttons) {
  const emblem = el("div", { class: "emblem large plain" }, icon("clock"));
  const message = el("div", { class: "grow middle" }, emblem, title, text);
  const node = el("div", { class: "stack centred" }, message, el("div", { class: "actions" }, ...buttons));
  return { node, update: () => {} };
}
