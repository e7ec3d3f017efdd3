/** Trusted keys: the pairing service's published ones, and the issuers' that were pinned when the device was paired. */

import { requireP256, SignatureError, thumbprint } from "./jose.js";

/** The tolerated difference between the phone's and a service's time; beyond it, services refuse requests. */
export const TOLERANCE_SECONDS = 300;

/** @typedef {import("./challenges.js").Claims} Claims */
/** @typedef {{at: number, expires: number}} PhraseRequest when a phrase was requested and when it expires, milliseconds */

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
    if (purpose === "pairing") return isRequested(await this.#store.get("device", "asked"), iat) ? [] : null;
    const account = await this.#store.get("accounts", [iss, account_id]);
    return account?.keys ?? (await this.#pendingKeys(iss, account_id));
  }

  /**
   * @param {Pick<Claims, "purpose" | "iss">} claims
   * @returns {Promise<readonly string[]>} thumbprints
   */
  async published({ purpose, iss }) {
    const { directory } = this.#service;
    const issuer = purpose === "pairing" && directory !== undefined ? directory.pairing_url : iss;
    return keySet(await this.#service.getJson(`${issuer}/.well-known/jwks.json`));
  }

  /**
   * Pin a new key of an issuer.
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
   * Keys from an accepted pairing whose confirmation is pending: the first login challenge can overtake it.
   *
   * @param {string} issuer
   * @param {string} accountId
   * @returns {Promise<readonly string[] | null>}
   */
  async #pendingKeys(issuer, accountId) {
    const pending = /** @type {import("./store.js").KeptAnswer[]} */ (await this.#store.all("answers"));
    const accepted = pending.find(
      ({ claims, verdict }) =>
        verdict === "approve" && claims.account_id === accountId && claims.login_issuer?.issuer === issuer,
    );
    return accepted?.claims.login_issuer?.keys ?? null;
  }
}

/**
 * @param {PhraseRequest | undefined} request
 * @param {number} iat when a pairing challenge was issued, seconds
 * @returns {boolean} whether this phone requested the phrase of the challenge
 */
export function isRequested(request, iat) {
  if (request === undefined) return false;
  return iat >= request.at / 1000 - TOLERANCE_SECONDS && iat <= request.expires / 1000 + TOLERANCE_SECONDS;
}

/**
 * @param {{keys?: unknown}} set a JWK set (RFC 7517 section 5)
 * @returns {Promise<string[]>} the thumbprints of its P-256 keys
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
