/** A request that waits for an answer: its details and the buttons. */

import { countdown } from "../countdown.js";
import { button, el, heading, setText } from "../dom.js";
import { icon } from "../icons.js";
import { timeOfDay } from "../times.js";
import { numberForm } from "./number.js";

/** How long the buttons are disabled, so that a tap meant for the previous screen does not answer a request. */
const GUARD_MS = 500;
/** A browser does not report keyboards; a device with a mouse usually has one. */
const HAS_KEYBOARD = "(hover: hover) and (pointer: fine)";

/**
 * @param {import("../phone.js").Phone} phone
 * @param {import("../challenges.js").Claims} claims
 * @returns {import("../screens.js").Screen}
 */
export function requestView({ queue, service }, claims) {
  const isPairing = claims.purpose === "pairing";
  const length = (claims.exp - claims.iat) * 1000;
  const time = countdown({ ends: claims.exp * 1000, length, now: () => service.now() });
  const count = el("p", { class: "count", testid: "request-count", "aria-live": "polite" });
  const answer = (/** @type {import("../requests.js").Verdict} */ verdict) => () => void queue.answer(claims.jti, verdict);
  const approval = approvalOf(claims, (number) => void queue.answer(claims.jti, "approve", number));
  const node = el(
    "div",
    { class: "stack", testid: `request-${claims.purpose}` },
    count,
    heading(isPairing ? "Connect this account?" : claims.action ? "Confirm this change?" : "Approve this sign-in?"),
    isPairing ? pairingLead(claims) : loginLead(claims),
    details(claims),
    time.node,
    el("div", { class: "actions" }, ...(isPairing ? pairingAnswers(answer) : loginAnswers(answer, approval.node))),
  );
  guard(node);
  const update = () => {
    time.update();
    const number = queue.waiting.length;
    setText(count, number > 1 ? `1 of ${number} requests` : "");
  };
  update();
  // A keyboard on the screen would hide the details, so on a phone the number field waits for a tap.
  return { node, update, first: matchMedia(HAS_KEYBOARD).matches ? approval.input : undefined };
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
function loginLead({ service, account_name, action }) {
  return el(
    "p",
    { class: "lead" },
    ...(action
      ? ["Are you changing the account ", bdi(account_name, "request-account"), " at ", bdi(service, "request-service"), "?"]
      : ["Are you signing in to ", bdi(service, "request-service"), " as ", bdi(account_name, "request-account"), "?"]),
  );
}

/** @param {import("../challenges.js").Claims} claims */
function details({ action, browser, iat }) {
  const { name, address, place, first_time } = browser;
  const rows = [
    ...(action ? [["For", action, "request-action"]] : []),
    ["Browser", name, "request-browser"],
    ["Address", address, "request-address"],
    ...(place ? [["Place", place, "request-place"]] : []),
    ["Time", timeOfDay(iat * 1000), "request-time"],
  ];
  const mark = el("p", { class: "mark-new", testid: "first-time" }, icon("alert"), "First sign-in from this browser");
  return el(
    "div",
    { class: "card part" },
    first_time ? mark : null,
    el(
      "dl",
      { class: "facts" },
      ...rows.map(([term, value, testid]) => el("div", {}, el("dt", {}, term), el("dd", {}, bdi(value, testid)))),
    ),
  );
}

/**
 * Untrusted text, isolated from the direction of the text around it (UAX 9).
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

/**
 * @param {import("../challenges.js").Claims} claims of a login
 * @param {(number?: number) => void} approve
 * @returns {{node: HTMLElement, input?: HTMLInputElement}}
 */
function approvalOf({ number_matching }, approve) {
  if (number_matching === true) return numberForm(approve);
  return { node: button("Approve", () => approve(), { class: "primary", testid: "approve" }) };
}

/**
 * @param {(verdict: import("../requests.js").Verdict) => () => void} answer
 * @param {HTMLElement} approval
 */
function loginAnswers(answer, approval) {
  return [
    approval,
    button("Deny", answer("deny"), { class: "secondary", testid: "deny" }),
    button("It wasn't me", answer("report"), { class: "quiet danger", testid: "report", "aria-describedby": "report-hint" }),
    el("p", { id: "report-hint", class: "hint centred" }, "This ends all your sign-ins and signs you out everywhere."),
  ];
}

/** @param {HTMLElement} node */
function guard(node) {
  const buttons = /** @type {HTMLButtonElement[]} */ ([...node.querySelectorAll("button:enabled")]);
  for (const each of buttons) each.disabled = true;
  setTimeout(() => {
    for (const each of buttons) each.disabled = false;
  }, GUARD_MS);
}
