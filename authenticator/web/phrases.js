/** Requests for a pairing phrase, which is kept until it expires (docs/protocol.md, section 4). */

import { ProblemError, UnreachableError } from "./service.js";

/**
 * @typedef {object} Phrase
 * @property {"asking" | "ready" | "failed"} status
 * @property {string} [text] two words
 * @property {number} [expires] milliseconds since 1970, the service's time
 * @property {string} [problem] why the request failed
 */

/**
 * Request a phrase. An earlier one ends.
 *
 * @param {import("./service.js").Service} service
 * @param {import("./store.js").Store} store
 * @param {string} deviceName
 * @returns {Promise<Phrase>}
 */
export async function requestPhrase(service, store, deviceName) {
  try {
    if (service.directory === undefined) await service.discover();
    const url = `${service.directory?.pairing_url}/phrases`;
    const response = await service.post(url, { device_name: deviceName });
    const expires = Date.parse(response.expires_at);
    /** @type {Phrase} */
    const phrase = { status: "ready", text: response.phrase, expires };
    await store.put("device", { at: service.now(), expires }, "asked");
    await store.put("device", phrase, "phrase");
    return phrase;
  } catch (error) {
    if (error instanceof ProblemError) return { status: "failed", problem: error.problem };
    if (error instanceof UnreachableError) return { status: "failed", problem: "unreachable" };
    throw error;
  }
}
