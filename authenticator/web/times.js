/** Times for people. */

/**
 * @param {number} milliseconds
 * @returns {string} minutes and seconds, for example "4:05"
 */
export function minutesAndSeconds(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/**
 * @param {number} milliseconds
 * @returns {string} for example "2 minutes" or "30 seconds"
 */
export function spoken(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const [count, unit] = seconds >= 60 ? [Math.round(seconds / 60), "minute"] : [seconds, "second"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/**
 * @param {number} moment milliseconds since 1970
 * @param {number} [now]
 * @returns {string} the time of day, with the date unless that is today
 */
export function timeOfDay(moment, now = Date.now()) {
  const isToday = new Date(moment).toDateString() === new Date(now).toDateString();
  return new Intl.DateTimeFormat(undefined, isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" })
    .format(moment);
}

/**
 * @param {number} moment milliseconds since 1970
 * @returns {string}
 */
export function day(moment) {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "long" }).format(moment);
}
