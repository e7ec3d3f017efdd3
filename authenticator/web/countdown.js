/** The time left: a bar and digits, and a few announcements for screen readers. */

import { announce, el, setText } from "./dom.js";
import { minutesAndSeconds, spoken } from "./times.js";

const MARKS_MS = [60_000, 30_000, 10_000];

/**
 * @param {object} options
 * @param {number} options.ends milliseconds since 1970, the service's time
 * @param {number} options.length the whole time, milliseconds
 * @param {() => number} options.now
 * @returns {{node: HTMLElement, update: () => void}}
 */
export function countdown({ ends, length, now }) {
  const bar = el("progress", { max: length, "aria-hidden": "true" });
  const digits = el("span", { role: "timer", testid: "time-left" });
  let marks = MARKS_MS.filter((mark) => mark < ends - now());
  const update = () => {
    const left = Math.min(length, Math.max(0, ends - now()));
    bar.value = left;
    setText(digits, `${minutesAndSeconds(left)} left`);
    if (marks.some((mark) => mark >= left)) {
      marks = marks.filter((mark) => mark < left);
      announce(`${spoken(left)} left`);
    }
  };
  update();
  return { node: el("div", { class: "countdown" }, bar, digits), update };
}
