/** The outcome of a request. */

import { announce, button, el, heading, setText } from "../dom.js";
import { icon } from "../icons.js";
import { outcomeMessage } from "../words.js";

const TONES = { yes: "good", no: "plain", alert: "warning", clock: "plain", send: "plain" };

/**
 * @param {import("../phone.js").Phone} phone
 * @param {import("../challenge-queue.js").Outcome} outcome
 * @param {() => void} leave
 * @returns {import("../screens.js").Screen}
 */
export function resultView({ queue }, outcome, leave) {
  const message = outcomeMessage(outcome);
  const done = button("Done", leave, { class: "primary", testid: "done" });
  done.hidden = outcome.ending === "sending";
  const update = () => {
    const next = queue.waiting.length;
    setText(done, next > 0 ? `Next request (${next} waiting)` : "Done");
  };
  update();
  const node = el(
    "div",
    { class: "stack centred", testid: "result", "data-ending": outcome.ending },
    el("div", { class: "grow middle" },
      el("div", { class: `emblem large ${TONES[message.icon]}` }, icon(message.icon)),
      heading(message.title),
      el("p", { class: "lead" }, message.text),
    ),
    el("div", { class: "actions" }, done),
  );
  announce(message.text);
  return { node, update };
}
