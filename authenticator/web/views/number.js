/** The form for the number that the computer shows. */

import { el } from "../dom.js";

/** From 10 to 99. */
const PATTERN = "[1-9][0-9]";

/**
 * @param {(number: number) => void} approve
 * @returns {{node: HTMLElement, input: HTMLInputElement}}
 */
export function numberForm(approve) {
  const input = el("input", {
    id: "number",
    inputmode: "numeric",
    pattern: PATTERN,
    maxlength: 2,
    required: true,
    autocomplete: "off",
    enterkeyhint: "send",
    testid: "number",
  });
  const send = el("button", { class: "primary", disabled: true, testid: "approve" }, "Approve");
  input.addEventListener("input", () => {
    input.value = input.value.replace(/\D/g, "");
    send.disabled = !input.validity.valid;
  });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    approve(Number(input.value));
  };
  const label = el("label", { for: "number" }, "Enter the number that your computer shows");
  return { node: el("form", { class: "matching", submit }, label, input, send), input };
}
