/** Progressive enhancement of each page: countdowns, local times, busy forms, passwords to reveal, printing. */

import { countDown } from "./countdown.js";

/** A page from the back/forward cache may be outdated. */
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

for (const element of document.querySelectorAll("[data-seconds-left]")) countDown(element);

const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[data-local]")) time.textContent = format.format(new Date(time.dateTime));

const BUSY_MS = 8000;

/** A double click would start a second sign-in, whose request waits behind the first one's. */
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.ariaBusy === "true") event.preventDefault();
    form.ariaBusy = "true";
    setTimeout(() => (form.ariaBusy = null), BUSY_MS);
  });
}

for (const button of document.querySelectorAll("[data-reveals]")) {
  const field = document.getElementById(button.dataset.reveals);
  button.hidden = false;
  button.addEventListener("click", () => {
    const reveal = field.type === "password";
    field.type = reveal ? "text" : "password";
    button.textContent = reveal ? "Hide" : "Show";
    button.setAttribute("aria-label", reveal ? "Hide the password" : "Show the password");
    field.focus();
  });
  field.form.addEventListener("submit", () => {
    field.type = "password";
  });
}

for (const button of document.querySelectorAll("[data-prints]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
