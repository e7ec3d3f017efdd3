/** Line icons, 24 by 24, drawn in the colour of the text around them. */

const NAMESPACE = "http://www.w3.org/2000/svg";
const PATHS = {
  mark: "M5 10.8l4.2 4.2L19 5.3M4 18.8h16",
  accounts: "M4 6.5h16v11H4zM8 14.5c.4-1.6 1.3-2.2 2.3-2.2s1.9.6 2.3 2.2M10.3 9.5h.01M15 10h2.5M15 13h2.5",
  history: "M12 7.5V12l3 2M4.5 12a7.5 7.5 0 1 0 2.2-5.3L4.5 8.9M4.5 5v3.9h3.9",
  settings: "M4 8h9M17 8h3M15 6v4M4 16h3M11 16h9M9 14v4",
  yes: "M5 12.5l4.5 4.5L19 7.5",
  no: "M7 7l10 10M17 7L7 17",
  alert: "M12 6.5v7M12 17.5h.01",
  clock: "M12 7v5.2l3.2 2M12 3.5a8.5 8.5 0 1 0 .01 0",
  copy: "M9 9h10v10H9zM6 15H5V5h10v1",
  send: "M12 19V6M6.5 11.5L12 6l5.5 5.5",
};

/**
 * @param {keyof typeof PATHS} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(NAMESPACE, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
