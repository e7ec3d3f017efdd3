/** The requests to this phone: those that wait, the answer being sent, and how each ended. */

import { accountOf, endedBy } from "./accounts.js";
import { Inbox } from "./inbox.js";
import { isFinal, Outbox, verdictOf } from "./outbox.js";

/** @typedef {import("./challenges.js").Claims} Claims */
/** @typedef {import("./store.js").Ending} Ending */
/** @typedef {import("./requests.js").Verdict} Verdict */
/** @typedef {{claims: Claims, ending: Ending | "sending" | "delayed", verdict?: Verdict, problem?: string}} Outcome */

export class ChallengeQueue {
  /** @type {Outcome | undefined} the outcome of the request on the screen, until the person dismisses it */
  outcome;
  /** @type {{claims: Claims, ending: Ending} | undefined} the last request that ended while it was not on the screen */
  notice;
  #store;
  #service;
  #onChange;

  /**
   * @param {object} context
   * @param {string} context.deviceId
   * @param {import("./agreement.js").AgreementKey} context.agreementKey
   * @param {import("./store.js").Store} context.store
   * @param {import("./service.js").Service} context.service
   * @param {import("./trust.js").PinnedTrust} context.trust
   * @param {(jti: string) => void} context.onShown
   * @param {() => void} context.onChange
   */
  constructor({ deviceId, agreementKey, store, service, trust, onShown, onChange }) {
    this.#store = store;
    this.#service = service;
    this.#onChange = onChange;
    this.outbox = new Outbox(service, store, agreementKey, {
      onDelayed: ({ claims }) => this.#progress(claims),
      onSettled: (answer, outcome) => this.#settle(answer, outcome),
    });
    this.inbox = new Inbox({
      deviceId,
      service,
      trust,
      isAnswered: (jti) => this.#isAnswered(jti),
      onShown: ({ claims }) => onShown(claims.jti),
      onArrived: () => this.#showArrived(),
      onEnded: ({ claims }, reason, wasFirst) => {
        const ending = reason === "answered" ? "elsewhere" : reason;
        void this.#finish({ claims, ending }, wasFirst && this.outcome === undefined);
      },
    });
  }

  /** @returns {import("./inbox.js").Waiting[]} oldest first */
  get waiting() {
    return this.inbox.waiting;
  }

  /** Send the answers that were kept when the app was closed. */
  async resume() {
    const kept = await this.#store.all("answers");
    if (kept.length > 0) this.outcome = { claims: kept[0].claims, ending: "sending" };
    await this.outbox.resume();
  }

  /**
   * @param {string} jti
   * @param {import("./inbox.js").Reason} reason
   */
  end(jti, reason) {
    // The response to a pending answer says how the request ended.
    if (!this.outbox.holds(jti)) this.inbox.end(jti, reason);
  }

  /** @param {Set<string>} ids of all challenges that wait at the service; the rest ended while this phone was offline */
  endAllBut(ids) {
    for (const { claims } of this.waiting) if (!ids.has(claims.jti)) this.end(claims.jti, "withdrawn");
  }

  /**
   * @param {string} jti
   * @param {Verdict} verdict
   * @param {number} [number] the number that the computer shows, from 10 to 99
   */
  async answer(jti, verdict, number) {
    const request = this.inbox.remove(jti);
    if (request === undefined) return;
    this.outcome = { claims: request.claims, ending: "sending" };
    this.#onChange();
    await this.outbox.submit({ jti, verdict, number, ...request });
  }

  /**
   * End requests that another window of this app answered, or whose pairing ended.
   *
   * @param {import("./store.js").Entry[]} history
   */
  reconcile(history) {
    const settled = new Set(history.filter(({ ending }) => isFinal(ending)).map(({ jti }) => jti));
    const removals = history.filter(({ ending }) => ending === "unpaired");
    for (const { claims } of this.waiting) {
      if (settled.has(claims.jti)) this.end(claims.jti, "answered");
      else if (removals.some((removal) => endedBy(removal, claims))) this.end(claims.jti, "withdrawn");
    }
  }

  /** The person has read the outcome. */
  dismiss() {
    this.outcome = undefined;
    this.#onChange();
  }

  /** @param {Claims} claims */
  #isOnScreen(claims) {
    return this.outcome === undefined ? this.waiting.length === 0 : this.outcome.claims.jti === claims.jti;
  }

  #showArrived() {
    // A new request replaces the outcome of the last one.
    if (this.outcome !== undefined && !["sending", "delayed"].includes(this.outcome.ending)) this.outcome = undefined;
    this.#onChange();
  }

  /** @param {Claims} claims */
  #progress(claims) {
    if (this.outcome?.claims.jti === claims.jti) this.outcome = { claims, ending: "delayed" };
    this.#onChange();
  }

  /**
   * @param {import("./store.js").KeptAnswer} answer
   * @param {import("./outbox.js").Outcome} outcome
   */
  async #settle(answer, outcome) {
    const { claims } = answer;
    const onScreen = this.#isOnScreen(claims);
    const account = outcome.ending === "accepted" ? accountOf(answer, this.#service.now()) : undefined;
    if (account !== undefined) await this.#store.put("accounts", account);
    await this.#finish({ claims, ...outcome }, onScreen);
  }

  /**
   * @param {Outcome & {ending: Ending}} outcome
   * @param {boolean} onScreen
   */
  async #finish(outcome, onScreen) {
    const { claims, ending } = outcome;
    const verdict = outcome.verdict ?? verdictOf((await this.#store.get("history", claims.jti))?.ending);
    if (onScreen) this.outcome = { ...outcome, verdict };
    else this.notice = { claims, ending };
    const now = this.#service.now();
    const { jti, purpose, service, account_name, browser } = claims;
    if (purpose === "pairing") await this.#store.delete("device", "phrase");
    const asked = claims.iat * 1000;
    await this.#store.record({ jti, purpose, service, account_name, browser, asked, at: now, ending });
    this.#onChange();
  }

  /** @param {string} jti */
  async #isAnswered(jti) {
    if (this.outbox.holds(jti) || (await this.#store.get("answers", jti)) !== undefined) return true;
    const entry = await this.#store.get("history", jti);
    return entry !== undefined && isFinal(entry.ending);
  }
}
