/** The suggested name of this phone. */

const BROWSERS = [
  ["Edg", "Edge"],
  ["SamsungBrowser", "Samsung Internet"],
  ["OPR/", "Opera"],
  ["FxiOS", "Firefox"],
  ["Firefox", "Firefox"],
  ["CriOS", "Chrome"],
  ["Chrome", "Chrome"],
  ["Safari", "Safari"],
];
const SYSTEMS = [
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Android", "Android"],
  ["Windows", "Windows"],
  ["Mac OS", "Mac"],
  ["CrOS", "ChromeOS"],
  ["Linux", "Linux"],
];

/** The longest name that the services take, in characters. */
export const MAX_NAME = 60;

/**
 * @param {string} userAgent
 * @returns {string} for example "Chrome on Android"
 */
export function suggestedName(userAgent) {
  const find = (/** @type {string[][]} */ table) => table.find(([mark]) => userAgent.includes(mark))?.[1];
  return `${find(BROWSERS) ?? "Browser"} on ${find(SYSTEMS) ?? "this device"}`;
}
