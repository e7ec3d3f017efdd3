/** Accounts that their service removes from this phone (docs/protocol.md, section 10). */

import { ChallengeError } from "./challenges.js";
import { SignatureError } from "./jose.js";
import { withRetries } from "./retries.js";
import { verifyUnpaired } from "./unpaired.js";

export class Removals {
  /** @type {import("./store.js").Entry[]} removals while the app was open, in any window of it */
  ended = [];
  #context;
  /** @type {Set<string> | undefined} */
  #known;
  /** @type {Set<string>} statements about pairings whose answer is still pending */
  #undecided = new Set();

  /**
   * @param {object} context
   * @param {string} context.deviceId
   * @param {import("./store.js").Store} context.store
   * @param {import("./service.js").Service} context.service
   * @param {import("./trust.js").PinnedTrust} context.trust
   */
  constructor(context) {
    this.#context = context;
  }

  /**
   * Remove the account of a pairing that ended, and record it.
   *
   * @param {string} compact the statement's JWS, from the socket
   * @returns {Promise<boolean>} whether an account was removed; a repeated or an untrusted statement removes none
   */
  async receive(compact) {
    const { store, service } = this.#context;
    this.#undecided.delete(compact);
    const statement = await this.#verified(compact);
    const account = statement === undefined ? undefined : await store.removePaired(statement);
    if (statement === undefined || account === undefined) return false;
    const { issuer, account_id, account_name, service: name, pairing_id } = account;
    const [asked, at] = [statement.iat * 1000, service.now()];
    const entry = { issuer, account_id, account_name, service: name, asked, at };
    // The pairing itself has an entry under its id.
    await store.record({ ...entry, jti: `${pairing_id} ended`, purpose: "removal", ending: "unpaired" });
    return true;
  }

  /**
   * Handle again the statements that arrived before it was known whether this phone is paired.
   *
   * @returns {Promise<boolean>} whether an account was removed
   */
  async retry() {
    const removed = await Promise.all([...this.#undecided].map((compact) => this.receive(compact)));
    return removed.includes(true);
  }

  /** @param {import("./store.js").Entry[]} history after a change, complete */
  update(history) {
    const all = history.filter(({ ending }) => ending === "unpaired");
    const known = this.#known ?? new Set(all.map(({ jti }) => jti));
    for (const removal of all) if (!known.has(removal.jti)) this.ended = [...this.ended, removal];
    this.#known = new Set([...known, ...all.map(({ jti }) => jti)]);
  }

  /** @param {string} compact */
  async #verified(compact) {
    const { deviceId, trust } = this.#context;
    try {
      return await withRetries(() =>
        verifyUnpaired(compact, {
          deviceId,
          find: (statement) => this.#find(statement, compact),
          published: (iss) => trust.published({ purpose: "login", iss }),
        }),
      );
    } catch (error) {
      if (!(error instanceof SignatureError || error instanceof ChallengeError)) throw error;
      console.warn("Account not removed:", error.message);
      return undefined;
    }
  }

  /**
   * @param {import("./unpaired.js").Unpaired} statement
   * @param {string} compact
   * @returns {Promise<import("./store.js").Account | undefined>}
   */
  async #find({ iss, account_id, pairing_id }, compact) {
    const { store } = this.#context;
    // The answer is read first: it is deleted only after its account is stored.
    if ((await store.get("answers", pairing_id))?.verdict === "approve") this.#undecided.add(compact);
    return store.get("accounts", [iss, account_id]);
  }
}
