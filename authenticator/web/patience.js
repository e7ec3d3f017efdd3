/** Checks that need an issuer's keys, which may be out of reach for a while. */

import { Pause, pauseAfter } from "./backoff.js";
import { ChallengeError } from "./challenges.js";
import { ProblemError, UnreachableError } from "./service.js";

/** How often an issuer's keys are asked for before what it signed is dropped; the socket sends it again later. */
const TRIES = 6;

/**
 * @template T
 * @param {() => Promise<T>} check
 * @returns {Promise<T>}
 * @throws {ChallengeError} if the keys cannot be had; and whatever else the check throws
 */
export async function patiently(check) {
  for (let failures = 0; ; ) {
    try {
      return await check();
    } catch (error) {
      failures += 1;
      const passing = error instanceof UnreachableError || error instanceof ProblemError;
      if (passing && failures >= TRIES) throw new ChallengeError("its issuer's keys cannot be had");
      if (!passing) throw error;
      await new Pause().wait(pauseAfter(failures));
    }
  }
}
