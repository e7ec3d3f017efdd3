/** Waits for the phone: server-sent events name the next page and the notification's delivery. */

const PATIENCE_MS = 5000;
const HINT_MS = 8000;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15000;
const FAILURES = "failures";

const delivery = document.querySelector("[data-delivery]");
const trouble = document.querySelector("[data-trouble]");
const source = new EventSource(document.body.dataset.events);
let patience = 0;
let reloading = false;

source.addEventListener("go", (event) => location.replace(JSON.parse(event.data).to));

source.addEventListener("delivery", (event) => {
  const receipt = JSON.parse(event.data);
  show(receipt.delivery);
  const name = document.querySelector("[data-testid='device-name']");
  if (name !== null && receipt.device_name !== "") name.textContent = receipt.device_name;
});

source.addEventListener("open", () => {
  clearTimeout(patience);
  patience = 0;
  sessionStorage.removeItem(FAILURES);
  trouble.textContent = "";
});

/** The browser reconnects by itself unless the stream was refused; after a while the page reloads in either case. */
source.addEventListener("error", () => {
  if (source.readyState === EventSource.CLOSED) reloadWhenPossible();
  else if (patience === 0) patience = setTimeout(reloadWhenPossible, PATIENCE_MS);
});

addEventListener("pagehide", () => source.close());

/** A form's response opens the next page; an event would open it twice. */
addEventListener("submit", () => source.close());

if (delivery?.dataset.delivery === "sending") {
  setTimeout(() => delivery.dataset.delivery === "sending" && show("late"), HINT_MS);
}

/** @param {string} state one of sending, late, delivered and undeliverable */
function show(state) {
  if (delivery === null) return;
  delivery.dataset.delivery = state;
  delivery.textContent = delivery.dataset[state];
}

/** Reload the page once the service answers, with pauses that grow across reloads. */
async function reloadWhenPossible() {
  if (reloading) return;
  reloading = true;
  trouble.textContent = trouble.dataset.trouble;
  do await growingPause();
  while (!(await isServed()));
  location.reload();
}

/** Exponential backoff with jitter: many pages may wait for the same service. */
function growingPause() {
  const failures = Number(sessionStorage.getItem(FAILURES));
  sessionStorage.setItem(FAILURES, String(failures + 1));
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
  return new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)));
}

/** Checked first, because a reload while the service is away shows the browser's own error page. */
async function isServed() {
  try {
    const response = await fetch(location.href, { cache: "no-store", redirect: "manual" });
    return response.ok || response.type === "opaqueredirect";
  } catch {
    return false;
  }
}
