/** Counts down the seconds that the service gave, by the browser's clock. */

const SECOND_MS = 1000;

/** @param {number} seconds */
const format = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

/**
 * @param {HTMLElement} element its data: secondsLeft, and atEnd, a path to open or a text to show at the end
 */
export function countDown(element) {
  const end = Date.now() + Number(element.dataset.secondsLeft) * SECOND_MS;
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((end - Date.now()) / SECOND_MS));
    element.textContent = format(seconds);
    if (seconds > 0) return;
    clearInterval(timer);
    finish(element.dataset.atEnd ?? "", element);
  };
  const timer = setInterval(tick, SECOND_MS / 4);
}

/**
 * @param {string} atEnd
 * @param {HTMLElement} element
 */
function finish(atEnd, element) {
  if (atEnd.startsWith("/")) location.replace(atEnd);
  else if (atEnd !== "" && element.parentElement !== null) element.parentElement.textContent = atEnd;
}
