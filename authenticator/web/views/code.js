/** An account's verification code, with the time left; a tap copies it. */

import { codeAt, STEP_MS, stepAt } from "../codes.js";
import { button, el, setText } from "../dom.js";
import { icon } from "../icons.js";
import { ring } from "../ring.js";

/**
 * @param {import("../store.js").Account} account
 * @param {object} context
 * @param {() => number} context.now milliseconds since 1970, the service's time
 * @param {(text: string) => void} context.notify
 * @returns {{node: HTMLElement, update: () => void}} update called each second
 */
export function codeView({ codeKey, account_name }, { now, notify }) {
  if (codeKey === undefined) return withoutCode();
  const digits = el("span", { class: "digits", translate: "no" });
  const time = ring(STEP_MS);
  const node = button("", () => void copy(code, notify), { class: "verification", testid: "code" });
  const caption = el("span", { class: "caption" }, "Verification code");
  node.append(el("span", {}, caption, digits), icon("copy"), time.node);
  let code = "";
  let step = -1;
  const show = async (/** @type {number} */ wanted) => {
    const made = await codeAt(codeKey, wanted);
    if (wanted !== step) return;
    code = made;
    setText(digits, `${code.slice(0, 3)}\u2009${code.slice(3)}`);
    // Read digit by digit, and not a live region: a new code is not announced.
    node.setAttribute("aria-label", `Verification code of ${account_name}: ${[...code].join(" ")}. Copy`);
  };
  const update = () => {
    const moment = now();
    time.update(STEP_MS - (moment % STEP_MS));
    if (stepAt(moment) === step) return;
    step = stepAt(moment);
    void show(step);
  };
  update();
  return { node, update };
}

function withoutCode() {
  const text = "This account has no verification codes. You can approve its sign-ins while this phone is online.";
  return { node: el("p", { class: "hint without-code", testid: "no-code" }, text), update: () => {} };
}

/**
 * @param {string} code
 * @param {(text: string) => void} notify
 */
async function copy(code, notify) {
  try {
    await navigator.clipboard.writeText(code);
    notify("The code was copied.");
  } catch {
    notify("This browser doesn't let the app copy the code. Type the code as it is shown.");
  }
}
