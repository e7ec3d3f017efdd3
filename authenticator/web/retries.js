/** Retries of checks that need an issuer's keys, which may be unavailable for a while. */

import { Pause, pauseAfter } from "./backoff.js";
import { ChallengeError } from "./challenges.js";
import { ProblemError, UnreachableError } from "./service.js";

/** Tries before what the issuer signed is dropped; the socket sends it again on the next connection. */
const TRIES = 6;

/**
 * @template T
 * @param {() => Promise<T>} check
 * @returns {Promise<T>}
 * @throws {ChallengeError} if the keys are unavailable; any other error of the check
 */
export async function withRetries(check) {
  for (let failures = 0; ; ) {
    try {
      return await check();
    } catch (error) {
      failures += 1;
      const temporary = error instanceof UnreachableError || error instanceof ProblemError;
      if (temporary && failures >= TRIES) throw new ChallengeError("its issuer's keys are unavailable");
      if (!temporary) throw error;
      await new Pause().wait(pauseAfter(failures));
    }
  }
}
