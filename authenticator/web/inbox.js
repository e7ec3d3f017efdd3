/** Requests that wait for the person: taken in when they may be shown, gone when they end. */

import { ChallengeError, verifyChallenge } from "./challenges.js";
import { SignatureError } from "./jose.js";
import { patiently } from "./patience.js";

/** @typedef {{claims: import("./challenges.js").Claims, challenge: string}} Waiting */
/** @typedef {"withdrawn" | "answered" | "expired"} Reason */

export class Inbox {
  /** @type {Waiting[]} oldest first */
  waiting = [];
  #context;
  /** @type {Set<string>} challenges that are being checked */
  #checking = new Set();
  /** @type {Set<string>} ids that ended while something was being checked */
  #ended = new Set();

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
    if (this.#checking.has(challenge)) return;
    this.#checking.add(challenge);
    try {
      await this.#admit(challenge);
    } catch (error) {
      if (!(error instanceof SignatureError || error instanceof ChallengeError)) throw error;
      console.warn("A challenge was not shown:", error.message);
    } finally {
      this.#checking.delete(challenge);
      if (this.#checking.size === 0) this.#ended.clear();
    }
  }

  /**
   * @param {string} jti
   * @param {Reason} reason
   */
  end(jti, reason) {
    if (this.#checking.size > 0) this.#ended.add(jti);
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
    return request;
  }

  /** End what came too late to be answered. */
  expire() {
    const now = this.#context.service.now();
    for (const { claims } of this.waiting) if (claims.exp * 1000 <= now) this.end(claims.jti, "expired");
  }

  /** @param {string} challenge */
  async #admit(challenge) {
    const { deviceId, service, trust, isAnswered, onShown, onArrived } = this.#context;
    const check = () => verifyChallenge(challenge, { deviceId, now: service.now(), trust });
    const { claims, thumbprint, rotated } = await patiently(check);
    if ((await isAnswered(claims.jti)) || this.#ended.has(claims.jti)) return;
    if (rotated && claims.purpose === "login") await trust.pin(claims, thumbprint);
    const request = { claims, challenge };
    const isNew = !this.waiting.some((other) => other.claims.jti === claims.jti);
    if (isNew) this.waiting = [...this.waiting, request].sort((a, b) => a.claims.iat - b.claims.iat);
    onShown(request);
    if (isNew) onArrived(request);
  }
}
