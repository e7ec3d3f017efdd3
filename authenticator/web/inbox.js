/** The requests that wait for the person: added once they are trusted, removed when they end. */

import { ChallengeError, ExpiredError, verifyChallenge } from "./challenges.js";
import { SignatureError } from "./jose.js";
import { withRetries } from "./retries.js";
import { TOLERANCE_SECONDS } from "./trust.js";

/** @typedef {{claims: import("./challenges.js").Claims, challenge: string}} Waiting */
/** @typedef {"withdrawn" | "answered" | "expired"} Reason */

export class Inbox {
  /** @type {Waiting[]} oldest first */
  waiting = [];
  #context;
  /** @type {Map<string, number>} the latest end of each, by performance.now() */
  #latest = new Map();
  /** @type {Map<string, Set<string>>} challenges that are being checked, with the ids that ended since each arrived */
  #checking = new Map();

  /**
   * @param {object} context
   * @param {string} context.deviceId
   * @param {import("./service.js").Service} context.service
   * @param {import("./trust.js").PinnedTrust} context.trust
   * @param {(jti: string) => Promise<boolean>} context.isAnswered whether the person has already answered
   * @param {(request: Waiting) => void} context.onShown called each time that the service sends a trusted challenge
   * @param {(request: Waiting) => void} context.onArrived
   * @param {(request: Waiting, reason: Reason, wasFirst: boolean) => void} context.onEnded
   */
  constructor(context) {
    this.#context = context;
  }

  /** @param {string} challenge its compact JWS, from the socket */
  async receive(challenge) {
    if (this.#checking.has(challenge)) return this.#checking.get(challenge)?.clear();
    const ended = /** @type {Set<string>} */ (new Set());
    this.#checking.set(challenge, ended);
    try {
      await this.#show(challenge, ended);
    } catch (error) {
      if (!(error instanceof SignatureError || error instanceof ChallengeError)) throw error;
      console.warn("Challenge not shown:", error.message);
    } finally {
      this.#checking.delete(challenge);
    }
  }

  /**
   * @param {string} jti
   * @param {Reason} reason
   */
  end(jti, reason) {
    for (const ended of this.#checking.values()) ended.add(jti);
    const wasFirst = this.waiting[0]?.claims.jti === jti;
    const request = this.remove(jti);
    if (request !== undefined) this.#context.onEnded(request, reason, wasFirst);
  }

  /**
   * @param {string} jti
   * @returns {Waiting | undefined} what was removed
   */
  remove(jti) {
    const request = this.waiting.find(({ claims }) => claims.jti === jti);
    this.waiting = this.waiting.filter((other) => other !== request);
    this.#latest.delete(jti);
    return request;
  }

  /**
   * End expired requests: by the clock, or while connected, by the service's frame. The monotonic clock bounds their
   * lifetime in any case.
   *
   * @param {boolean} connected whether the service can report an end
   */
  expire(connected) {
    const now = this.#context.service.now();
    for (const { claims } of this.waiting) {
      const isOver = performance.now() >= (this.#latest.get(claims.jti) ?? 0);
      if (isOver || (!connected && claims.exp * 1000 <= now)) this.end(claims.jti, "expired");
    }
  }

  /**
   * @param {string} challenge
   * @param {Set<string>} ended ids that ended since it arrived
   */
  async #show(challenge, ended) {
    const { trust, isAnswered, onShown, onArrived } = this.#context;
    const { claims, thumbprint, rotated } = await this.#judge(challenge);
    if ((await isAnswered(claims.jti)) || ended.has(claims.jti)) {
      console.info("Challenge not shown: it has ended");
      return;
    }
    if (rotated && claims.purpose === "login") await trust.pin(claims, thumbprint);
    const request = { claims, challenge };
    const isNew = !this.waiting.some((other) => other.claims.jti === claims.jti);
    if (isNew) {
      this.#latest.set(claims.jti, performance.now() + (claims.exp - claims.iat) * 1000);
      this.waiting = [...this.waiting, request].sort((a, b) => a.claims.iat - b.claims.iat);
    }
    onShown(request);
    if (isNew) onArrived(request);
  }

  /**
   * Judge a challenge, and one that seems to have expired again by the service's present time. The service sends only open
   * challenges, and refuses late answers. So the challenge is shown unless it has expired by more than the clocks'
   * tolerance.
   *
   * @param {string} challenge
   */
  async #judge(challenge) {
    const { deviceId, service, trust } = this.#context;
    const judge = (/** @type {number} */ tolerance) =>
      withRetries(() => verifyChallenge(challenge, { deviceId, now: service.now() - tolerance, trust }));
    try {
      return await judge(0);
    } catch (error) {
      if (!(error instanceof ExpiredError)) throw error;
      await service.discover().catch((failure) => console.info("Service time unavailable:", failure.message));
      return judge(TOLERANCE_SECONDS * 1000);
    }
  }
}
