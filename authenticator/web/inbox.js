/** Requests that wait for the person: taken in when they may be shown, gone when they end. */

import { ChallengeError, ExpiredError, verifyChallenge } from "./challenges.js";
import { SignatureError } from "./jose.js";
import { patiently } from "./patience.js";
import { TOLERANCE_SECONDS } from "./trust.js";

/** @typedef {{claims: import("./challenges.js").Claims, challenge: string}} Waiting */
/** @typedef {"withdrawn" | "answered" | "expired"} Reason */

export class Inbox {
  /** @type {Waiting[]} oldest first */
  waiting = [];
  #context;
  /** @type {Map<string, number>} until when each can be open at most, by performance.now() */
  #latest = new Map();
  /** @type {Map<string, Set<string>>} challenges that are being checked, and the ids that ended since each of them came */
  #checking = new Map();

  /**
   * @param {object} context
   * @param {string} context.deviceId
   * @param {import("./service.js").Service} context.service
   * @param {import("./trust.js").PinnedTrust} context.trust
   * @param {(jti: string) => Promise<boolean>} context.isAnswered whether the person has decided already
   * @param {(request: Waiting) => void} context.onShown is called each time that the service sends one that is shown
   * @param {(request: Waiting) => void} context.onArrived
   * @param {(request: Waiting, reason: Reason, wasFirst: boolean) => void} context.onEnded
   */
  constructor(context) {
    this.#context = context;
  }

  /** @param {string} challenge its compact JWS, from the socket */
  async take(challenge) {
    if (this.#checking.has(challenge)) return this.#checking.get(challenge)?.clear();
    const ended = /** @type {Set<string>} */ (new Set());
    this.#checking.set(challenge, ended);
    try {
      await this.#admit(challenge, ended);
    } catch (error) {
      if (!(error instanceof SignatureError || error instanceof ChallengeError)) throw error;
      console.warn("A challenge was not shown:", error.message);
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
   * End what has run out: by the clock, or while the service is heard, by its word. No clock lets a request stay beyond its
   * lifetime.
   *
   * @param {boolean} heard whether the service can say what has ended
   */
  expire(heard) {
    const now = this.#context.service.now();
    for (const { claims } of this.waiting) {
      const isOver = performance.now() >= (this.#latest.get(claims.jti) ?? 0);
      if (isOver || (!heard && claims.exp * 1000 <= now)) this.end(claims.jti, "expired");
    }
  }

  /**
   * @param {string} challenge
   * @param {Set<string>} ended ids that ended since it came
   */
  async #admit(challenge, ended) {
    const { trust, isAnswered, onShown, onArrived } = this.#context;
    const { claims, thumbprint, rotated } = await this.#judge(challenge);
    if ((await isAnswered(claims.jti)) || ended.has(claims.jti)) {
      console.info("A challenge was not shown: it has ended");
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
   * Judge a challenge; if it seems to have expired, once more by the time as the service says it now. The service sends only
   * what it calls open, and refuses an answer that comes too late. So what is still expired then is shown all the same,
   * unless by more than clocks may differ.
   *
   * @param {string} challenge
   */
  async #judge(challenge) {
    const { deviceId, service, trust } = this.#context;
    const judge = (/** @type {number} */ tolerance) =>
      patiently(() => verifyChallenge(challenge, { deviceId, now: service.now() - tolerance, trust }));
    try {
      return await judge(0);
    } catch (error) {
      if (!(error instanceof ExpiredError)) throw error;
      await service.discover().catch((failure) => console.info("The time could not be fetched:", failure.message));
      return judge(TOLERANCE_SECONDS * 1000);
    }
  }
}
