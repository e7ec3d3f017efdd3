/** Accounts that their service takes from this phone (docs/protocol.md, section 10). */

import { ChallengeError } from "./challenges.js";
import { SignatureError } from "./jose.js";
import { patiently } from "./patience.js";
import { verifyUnpaired } from "./unpaired.js";

export class Partings {
  /** @type {import("./store.js").Entry[]} those while the app was open, whichever window of it heard of them */
  ended = [];
  #context;
  /** @type {Set<string> | undefined} */
  #known;
  /** @type {Set<string>} statements of pairings whose answer is still on its way */
  #early = new Set();

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
   * Remove the account of a pairing that ended, and write that down.
   *
   * @param {string} compact the statement's JWS, from the socket
   * @returns {Promise<boolean>} whether an account was removed: not by what was heard before or is not to be believed
   */
  async take(compact) {
    const { store, service } = this.#context;
    this.#early.delete(compact);
    const statement = await this.#believed(compact);
    const account = statement === undefined ? undefined : await store.removePaired(statement);
    if (statement === undefined || account === undefined) return false;
    const { issuer, account_id, account_name, service: name, pairing_id } = account;
    const [asked, at] = [statement.iat * 1000, service.now()];
    const entry = { issuer, account_id, account_name, service: name, asked, at };
    // The pairing itself has an entry under its id.
    await store.record({ ...entry, jti: `${pairing_id} ended`, purpose: "parting", ending: "unpaired" });
    return true;
  }

  /**
   * Take again what came before it was known whether this phone is paired.
   *
   * @returns {Promise<boolean>} whether an account was removed
   */
  async retry() {
    const taken = await Promise.all([...this.#early].map((compact) => this.take(compact)));
    return taken.includes(true);
  }

  /** @param {import("./store.js").Entry[]} history all of it, whenever it may have changed */
  notice(history) {
    const all = history.filter(({ ending }) => ending === "unpaired");
    const known = this.#known ?? new Set(all.map(({ jti }) => jti));
    for (const parting of all) if (!known.has(parting.jti)) this.ended = [...this.ended, parting];
    this.#known = new Set([...known, ...all.map(({ jti }) => jti)]);
  }

  /** @param {string} compact */
  async #believed(compact) {
    const { deviceId, trust } = this.#context;
    try {
      return await patiently(() =>
        verifyUnpaired(compact, {
          deviceId,
          find: (statement) => this.#find(statement, compact),
          published: (iss) => trust.published({ purpose: "login", iss }),
        }),
      );
    } catch (error) {
      if (!(error instanceof SignatureError || error instanceof ChallengeError)) throw error;
      console.warn("A statement that a pairing ended was not believed:", error.message);
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
    // Asked for first: an answer is let go only after its account is there.
    if ((await store.get("answers", pairing_id))?.verdict === "approve") this.#early.add(compact);
    return store.get("accounts", [iss, account_id]);
  }
}
