/** A ring that empties as time passes, with the seconds left; hidden from screen readers. */

const NAMESPACE = "http://www.w3.org/2000/svg";
const FEW_SECONDS = 5;

/**
 * @param {number} length the whole time, milliseconds
 * @returns {{node: SVGSVGElement, update: (left: number) => void}} update takes milliseconds
 */
export function ring(length) {
  const track = shape("circle", { class: "track", cx: 20, cy: 20, r: 17 });
  const rest = shape("circle", { class: "rest", cx: 20, cy: 20, r: 17, pathLength: length });
  const seconds = shape("text", { x: 20, y: 20 });
  const node = /** @type {SVGSVGElement} */ (shape("svg", { class: "ring", viewBox: "0 0 40 40", "aria-hidden": "true" }));
  node.append(track, rest, seconds);
  const update = (/** @type {number} */ left) => {
    rest.setAttribute("stroke-dasharray", `${left} ${length}`);
    seconds.textContent = String(Math.ceil(left / 1000));
    node.classList.toggle("few", left <= FEW_SECONDS * 1000);
  };
  return { node, update };
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 */
function shape(name, attributes) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, String(value));
  return element;
}
