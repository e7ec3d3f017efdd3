/** The HTTP client for the services: discovery, time, nonces and signed requests. */

import { signRequest } from "./requests.js";

const TIMEOUT_MS = 15_000;
const PROBLEM = "urn:countersign:problem:";
/** Smaller differences of the clocks are not stored: they are within the latency of a response. */
const CLOCK_STEP_MS = 1000;

/** @typedef {{product_name: string, pairing_url: string, socket_url: string, offset: number}} Directory */

/** A service cannot be reached, or does not respond in time. */
export class UnreachableError extends Error {
  name = "UnreachableError";
}

/** A service refused a request, with a problem document (RFC 9457) or without. */
export class ProblemError extends Error {
  /**
   * @param {Record<string, any>} problem its members
   * @param {number} status
   * @param {string | null} [retryAfter] the Retry-After header
   */
  constructor(problem, status, retryAfter = null) {
    super(problem.detail ?? problem.title ?? `status ${status}`);
    const type = String(problem.type ?? "");
    const name = type.startsWith(PROBLEM) ? type.slice(PROBLEM.length) : "unknown";
    /** Its name in docs/protocol.md. Any error inside a service is temporary. */
    this.problem = status >= 500 ? "unavailable" : name;
    this.members = problem;
    this.retryAfterMs = Number.parseInt(retryAfter ?? "", 10) * 1000 || 0;
  }
}

export class Service {
  #key;
  #store;
  #keptOffset;
  /** @type {Map<string, string>} the next nonce of each service */
  #nonces = new Map();

  /**
   * @param {import("./requests.js").DeviceKey} key
   * @param {import("./store.js").Store} store
   * @param {Directory | undefined} directory the stored one
   */
  constructor(key, store, directory) {
    this.#key = key;
    this.#store = store;
    this.directory = directory;
    this.#keptOffset = directory?.offset ?? 0;
    this.origin = location.origin;
  }

  /** @returns {number} milliseconds since 1970, the service's time */
  now() {
    return Date.now() + (this.directory?.offset ?? 0);
  }

  /** Fetch the services' addresses and time (docs/protocol.md, section 2). */
  async discover() {
    const { product_name, pairing_url, socket_url, server_time } = await this.getJson(
      `${this.origin}/.well-known/countersign`,
    );
    this.directory = { product_name, pairing_url, socket_url, offset: offsetTo(server_time) ?? this.#keptOffset };
    await this.#keepDirectory();
  }

  /**
   * Set the service's time. The newest one counts, and is stored for codes without a network. So an instance with a wrong
   * clock misleads this phone only until the next ping.
   *
   * @param {unknown} serverTime ISO 8601; anything else, as from an older service, changes nothing
   */
  async setTime(serverTime) {
    const offset = offsetTo(serverTime);
    if (offset === undefined || this.directory === undefined) return;
    this.directory.offset = offset;
    if (Math.abs(offset - this.#keptOffset) >= CLOCK_STEP_MS) await this.#keepDirectory();
  }

  /**
   * @param {string} url
   * @returns {Promise<any>}
   * @throws {UnreachableError | ProblemError}
   */
  async getJson(url) {
    return readJson(await this.#fetch(url));
  }

  /**
   * Send a signed request, and once more if the nonce or the time is refused.
   *
   * @param {string} url
   * @param {Record<string, unknown>} payload
   * @param {string} [typ]
   * @param {Record<string, string>} [headers] further ones
   * @returns {Promise<any>} the response
   * @throws {UnreachableError | ProblemError}
   */
  async post(url, payload, typ, headers) {
    try {
      return await this.#postOnce(url, payload, typ, headers);
    } catch (error) {
      const problem = error instanceof ProblemError ? error.problem : "";
      if (problem !== "bad-nonce" && problem !== "stale") throw error;
      if (problem === "stale") await this.discover();
      return this.#postOnce(url, payload, typ, headers);
    }
  }

  /**
   * @param {string} url
   * @param {string} nonce
   * @param {Record<string, unknown>} payload
   * @param {string} [typ]
   */
  sign(url, nonce, payload, typ) {
    return signRequest(this.#key, { url, nonce, now: this.now(), payload, typ });
  }

  async #keepDirectory() {
    this.#keptOffset = this.directory?.offset ?? 0;
    await this.#store.put("device", this.directory, "directory");
  }

  /**
   * @param {string} url
   * @param {Record<string, unknown>} payload
   * @param {string} [typ]
   * @param {Record<string, string>} [more]
   */
  async #postOnce(url, payload, typ, more) {
    const body = await this.sign(url, await this.#nonce(new URL(url).origin), payload, typ);
    const headers = { "Content-Type": "application/jose", ...more };
    return readJson(await this.#fetch(url, { method: "POST", headers, body }));
  }

  /** @param {string} origin */
  async #nonce(origin) {
    if (!this.#nonces.has(origin)) await this.#fetch(`${origin}/nonce`);
    const nonce = this.#nonces.get(origin);
    this.#nonces.delete(origin);
    if (nonce === undefined) throw new ProblemError({ detail: `${origin} sent no nonce` }, 502);
    return nonce;
  }

  /**
   * @param {string} url
   * @param {RequestInit} [init]
   */
  async #fetch(url, init) {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { cache: "no-store", credentials: "omit", signal, ...init }).catch((error) => {
      throw new UnreachableError(`${url}: ${error}`);
    });
    const nonce = response.headers.get("Replay-Nonce");
    if (nonce !== null) this.#nonces.set(new URL(url).origin, nonce);
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    throw new ProblemError(problem, response.status, response.headers.get("Retry-After"));
  }
}

/**
 * @param {unknown} serverTime ISO 8601
 * @returns {number | undefined} by how many milliseconds it is ahead of this phone's clock
 */
function offsetTo(serverTime) {
  const offset = (typeof serverTime === "string" ? Date.parse(serverTime) : Number.NaN) - Date.now();
  return Number.isNaN(offset) ? undefined : offset;
}

/**
 * @param {Response} response
 * @returns {Promise<any>}
 * @throws {ProblemError} if it is not JSON, as from a proxy
 */
async function readJson(response) {
  try {
    return await response.json();
  } catch {
    throw new ProblemError({ detail: `The response of ${response.url} is not JSON` }, 502);
  }
}
