/** A request that waits for the person: what is asked, by whom, from where, and the answers. */

import { countdown } from "../countdown.js";
import { button, el, heading, setText } from "../dom.js";
import { timeOfDay } from "../times.js";

/** A request must not be answered by a tap that was meant for the screen before. */
const GUARD_MS = 500;

/**
 * @param {import("../phone.js").Phone} phone
 * @param {import("../challenges.js").Claims} claims
 * @returns {import("../screens.js").Screen}
 */
export function requestView({ prompts, service }, claims) {
  const isPairing = claims.purpose === "pairing";
  const length = (claims.exp - claims.iat) * 1000;
  const time = countdown({ ends: claims.exp * 1000, length, now: () => service.now() });
  const count = el("p", { class: "count", testid: "request-count", "aria-live": "polite" });
  const answer = (/** @type {import("../requests.js").Verdict} */ verdict) => () => void prompts.answer(claims.jti, verdict);
  const node = el(
    "div",
    { class: "stack", testid: `request-${claims.purpose}` },
    count,
    heading(isPairing ? "Connect this account?" : "Approve this sign-in?"),
    isPairing ? pairingLead(claims) : loginLead(claims),
    details(claims),
    time.node,
    el("div", { class: "actions" }, ...(isPairing ? pairingAnswers(answer) : loginAnswers(answer))),
  );
  guard(node);
  const update = () => {
    time.update();
    const number = prompts.waiting.length;
    setText(count, number > 1 ? `1 of ${number} requests` : "");
  };
  update();
  return { node, update };
}

/** @param {import("../challenges.js").Claims} claims */
function pairingLead({ service, account_name }) {
  return el(
    "p",
    { class: "lead" },
    bdi(service, "request-service"),
    " wants to connect account ",
    bdi(account_name, "request-account"),
    ".",
  );
}

/** @param {import("../challenges.js").Claims} claims */
function loginLead({ service, account_name }) {
  return el(
    "p",
    { class: "lead" },
    "Somebody signs in to ",
    bdi(service, "request-service"),
    " as ",
    bdi(account_name, "request-account"),
    ". Is it you?",
  );
}

/** @param {import("../challenges.js").Claims} claims */
function details({ browser, iat }) {
  const rows = [
    ["Browser", browser.name, "request-browser"],
    ["Address", browser.address, "request-address"],
    ["Time", timeOfDay(iat * 1000), "request-time"],
  ];
  return el(
    "dl",
    { class: "card facts" },
    ...rows.map(([term, value, testid]) => el("div", {}, el("dt", {}, term), el("dd", {}, bdi(value, testid)))),
  );
}

/**
 * Text from outside, kept from disturbing the order of the text around it.
 *
 * @param {string} text
 * @param {string} testid
 */
function bdi(text, testid) {
  return el("bdi", { class: "value", testid }, text);
}

/** @param {(verdict: import("../requests.js").Verdict) => () => void} answer */
function pairingAnswers(answer) {
  return [
    button("Accept", answer("approve"), { class: "primary", testid: "accept" }),
    button("Decline", answer("deny"), { class: "secondary", testid: "decline" }),
  ];
}

/** @param {(verdict: import("../requests.js").Verdict) => () => void} answer */
function loginAnswers(answer) {
  return [
    button("Approve", answer("approve"), { class: "primary", testid: "approve" }),
    button("Deny", answer("deny"), { class: "secondary", testid: "deny" }),
    button("It wasn't me", answer("report"), { class: "quiet danger", testid: "report", "aria-describedby": "report-hint" }),
    el("p", { id: "report-hint", class: "hint centred" }, "This ends all your waiting sign-ins."),
  ];
}

/** @param {HTMLElement} node */
function guard(node) {
  const buttons = [...node.querySelectorAll("button")];
  for (const each of buttons) each.disabled = true;
  setTimeout(() => {
    for (const each of buttons) each.disabled = false;
  }, GUARD_MS);
}
