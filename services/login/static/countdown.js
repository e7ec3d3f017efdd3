/** Counts down to the end of a wait, by the clock of the browser but from the seconds that the service gave. */

const SECOND_MS = 1000;

/** @param {number} seconds */
const spelled = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

/**
 * @param {HTMLElement} shown its data: secondsLeft, and atEnd, an address to go to or what to say at the end
 */
export function countDown(shown) {
  const end = Date.now() + Number(shown.dataset.secondsLeft) * SECOND_MS;
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((end - Date.now()) / SECOND_MS));
    shown.textContent = spelled(seconds);
    if (seconds > 0) return;
    clearInterval(timer);
    finish(shown.dataset.atEnd ?? "", shown);
  };
  const timer = setInterval(tick, SECOND_MS / 4);
}

/**
 * @param {string} atEnd
 * @param {HTMLElement} shown
 */
function finish(atEnd, shown) {
  if (atEnd.startsWith("/")) location.replace(atEnd);
  else if (atEnd !== "" && shown.parentElement !== null) shown.parentElement.textContent = atEnd;
}
