/** The form for the number that the computer shows. */

import { el } from "../dom.js";

/**
 * The digits of any script in a text, as 0 to 9. Unicode has each script's ten digits in a row.
 *
 * @param {string} text
 */
export function digitsOf(text) {
  const isDigit = (/** @type {number} */ point) => /\p{Nd}/u.test(String.fromCodePoint(point));
  return [...text.normalize("NFKC")]
    .map((each) => each.codePointAt(0) ?? 0)
    .filter(isDigit)
    .map((point) => {
      let digit = 0;
      while (digit < 9 && isDigit(point - digit - 1)) digit += 1;
      return digit;
    })
    .join("");
}

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
    maxlength: 8,
    required: true,
    autocomplete: "off",
    enterkeyhint: "send",
    testid: "number",
  });
  const send = el("button", { class: "primary", disabled: true, testid: "approve" }, "Approve");
  input.addEventListener("input", () => {
    input.value = digitsOf(input.value).slice(0, 2);
    send.disabled = !input.validity.valid;
  });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    approve(Number(input.value));
  };
  const label = el("label", { for: "number" }, "Enter the number that your computer shows");
  return { node: el("form", { class: "matching", submit }, label, input, send), input };
}
