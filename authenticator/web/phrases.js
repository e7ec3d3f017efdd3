/** The pairing phrase: asked for, kept until it runs out, forgotten (docs/protocol.md, section 4). */

import { ProblemError, UnreachableError } from "./service.js";

/**
 * @typedef {object} Phrase
 * @property {"asking" | "ready" | "failed"} status
 * @property {string} [text] two words
 * @property {number} [expires] milliseconds since 1970, as the service counts them
 * @property {string} [problem] why there is none
 */

/**
 * Ask for a phrase. Any earlier one ends.
 *
 * @param {import("./service.js").Service} service
 * @param {import("./store.js").Store} store
 * @param {string} deviceName
 * @returns {Promise<Phrase>}
 */
export async function askForPhrase(service, store, deviceName) {
  try {
    if (service.directory === undefined) await service.discover();
    const url = `${service.directory?.pairing_url}/phrases`;
    const answer = await service.post(url, { device_name: deviceName });
    const expires = Date.parse(answer.expires_at);
    /** @type {Phrase} */
    const phrase = { status: "ready", text: answer.phrase, expires };
    await store.put("device", { at: service.now(), expires }, "asked");
    await store.put("device", phrase, "phrase");
    return phrase;
  } catch (error) {
    if (error instanceof ProblemError) return { status: "failed", problem: error.problem };
    if (error instanceof UnreachableError) return { status: "failed", problem: "unreachable" };
    throw error;
  }
}
