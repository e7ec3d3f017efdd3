/** Whom this device believes: the pairing service by its published keys, issuers as they were pinned when it paired. */

import { requireP256, SignatureError, thumbprint } from "./jose.js";

/** By how much this phone's idea of the time and a service's may differ; beyond it, services refuse its requests. */
export const TOLERANCE_SECONDS = 300;

/** @typedef {import("./challenges.js").Claims} Claims */
/** @typedef {{at: number, expires: number}} Asked when a phrase was asked for and until when it was good, milliseconds */

export class PinnedTrust {
  #store;
  #service;

  /**
   * @param {import("./store.js").Store} store
   * @param {import("./service.js").Service} service
   */
  constructor(store, service) {
    this.#store = store;
    this.#service = service;
  }

  /**
   * @param {Claims} claims
   * @returns {Promise<readonly string[] | null>} see the type Trust
   */
  async known({ purpose, iss, account_id, iat }) {
    if (purpose === "pairing") return askedFor(await this.#store.get("device", "asked"), iat) ? [] : null;
    const account = await this.#store.get("accounts", [iss, account_id]);
    return account?.keys ?? (await this.#acceptedJustNow(iss, account_id));
  }

  /**
   * @param {Pick<Claims, "purpose" | "iss">} claims
   * @returns {Promise<readonly string[]>} thumbprints
   */
  async published({ purpose, iss }) {
    const { directory } = this.#service;
    const owner = purpose === "pairing" && directory !== undefined ? directory.pairing_url : iss;
    return keySet(await this.#service.getJson(`${owner}/.well-known/jwks.json`));
  }

  /**
   * Pin a key that was rotated in.
   *
   * @param {Claims} claims of a login challenge
   * @param {string} key its thumbprint
   */
  async pin({ iss, account_id }, key) {
    const account = await this.#store.get("accounts", [iss, account_id]);
    if (account !== undefined && !account.keys.includes(key)) {
      await this.#store.put("accounts", { ...account, keys: [...account.keys, key] });
    }
  }

  /**
   * The first login challenge can overtake the confirmation that the pairing was accepted.
   *
   * @param {string} issuer
   * @param {string} accountId
   * @returns {Promise<readonly string[] | null>}
   */
  async #acceptedJustNow(issuer, accountId) {
    const kept = /** @type {import("./store.js").KeptAnswer[]} */ (await this.#store.all("answers"));
    const accepted = kept.find(
      ({ claims, verdict }) =>
        verdict === "approve" && claims.account_id === accountId && claims.login_issuer?.issuer === issuer,
    );
    return accepted?.claims.login_issuer?.keys ?? null;
  }
}

/**
 * @param {Asked | undefined} asked
 * @param {number} iat when a pairing challenge was issued, seconds
 * @returns {boolean} whether this phone asked for a phrase that it can answer to
 */
export function askedFor(asked, iat) {
  if (asked === undefined) return false;
  return iat >= asked.at / 1000 - TOLERANCE_SECONDS && iat <= asked.expires / 1000 + TOLERANCE_SECONDS;
}

/**
 * @param {{keys?: unknown}} set a JWK set (RFC 7517 section 5)
 * @returns {Promise<string[]>} the thumbprints of its P-256 keys; others are passed over
 */
export async function keySet(set) {
  const keys = Array.isArray(set?.keys) ? set.keys : [];
  const prints = keys.map(async (key) => {
    try {
      return [await thumbprint(requireP256(key))];
    } catch (error) {
      if (error instanceof SignatureError || error instanceof SyntaxError || error instanceof TypeError) return [];
      throw error;
    }
  });
  return (await Promise.all(prints)).flat();
}
