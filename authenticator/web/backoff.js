/** Exponential backoff with jitter, and a pause that can be cut short. */

const CEILING_SECONDS = 30;
const VARIATION = 0.2;

/**
 * @param {number} failures how many tries have failed in a row, 1 or more
 * @param {() => number} [random] a number in [0, 1)
 * @returns {number} milliseconds: 1 s, 2 s, 4 s ... 30 s, each varied by up to a fifth
 */
export function pauseAfter(failures, random = Math.random) {
  const seconds = Math.min(CEILING_SECONDS, 2 ** (failures - 1));
  return seconds * 1000 * (1 - VARIATION + 2 * VARIATION * random());
}

/** A pause that ends by itself or by a call of cut(). */
export class Pause {
  #end = () => {};

  /**
   * @param {number} milliseconds
   * @returns {Promise<void>}
   */
  wait(milliseconds) {
    this.cut();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** End the pause now. */
  cut() {
    this.#end();
  }
}
