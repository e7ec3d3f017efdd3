/** Helpers to create elements. Text is always inserted as text, never as markup. */

/** @typedef {Node | string | null | undefined} Child */
/** @typedef {Record<string, string | number | boolean | ((event: any) => void)>} Properties */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Properties} [properties] attributes; a function listens to the event of that name; "testid" is for tests
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "testid") element.dataset.testid = String(value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * @param {string} text
 * @param {(event: any) => void} click
 * @param {Properties} [properties]
 * @returns {HTMLButtonElement}
 */
export function button(text, click, properties = {}) {
  return el("button", { type: "button", click, ...properties }, text);
}

/**
 * @param {string} text
 * @returns {HTMLHeadingElement} a screen's heading, which takes the focus when the screen opens
 */
export function heading(text) {
  return el("h1", { tabindex: -1 }, text);
}

/**
 * Set an element's text if it differs, so that assistive technology hears of real changes only.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {string} text for screen readers to announce */
export function announce(text) {
  const region = document.getElementById("announcer");
  if (region !== null) setText(region, text);
}
