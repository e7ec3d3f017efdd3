/** Pending answers: kept in the store, and sent until their outcome is known. */

import { agree } from "./agreement.js";
import { Pause, pauseAfter } from "./backoff.js";
import { ANSWER_TYPE, answerPayload } from "./requests.js";
import { ProblemError, UnreachableError } from "./service.js";

/** @typedef {import("./store.js").KeptAnswer} KeptAnswer */
/** @typedef {import("./store.js").Ending} Ending */
/** @typedef {{ending: Ending, problem?: string, verdict?: import("./requests.js").Verdict}} Outcome */

/**
 * How long after a challenge's expiry the service still reports the outcome of an answer (docs/protocol.md, section 7). An
 * attempt without a response may have counted, so the same answer is sent until its outcome is known.
 */
const OUTCOME_MS = 600_000;
/** The header with the challenge, so that any instance of the service can take the answer, whatever it has read so far. */
const CHALLENGE_HEADER = "Countersign-Challenge";
/** The outcome while the service has the answer, and has not decided on it yet: the same answer is sent again. */
const RECEIVED = "received";
/** Problems after which the same answer is sent again. */
const TEMPORARY = new Set(["unavailable", "too-many-requests", "unknown-device", "bad-nonce", "stale"]);

export class Outbox {
  #service;
  #store;
  #agreementKey;
  #onDelayed;
  #onSettled;
  /** @type {Map<string, Pause>} by the challenge's id */
  #sending = new Map();

  /**
   * @param {import("./service.js").Service} service
   * @param {import("./store.js").Store} store
   * @param {import("./agreement.js").AgreementKey} agreementKey
   * @param {object} listeners
   * @param {(answer: KeptAnswer) => void} listeners.onDelayed called when an answer could not be sent yet
   * @param {(answer: KeptAnswer, outcome: Outcome) => Promise<void>} listeners.onSettled
   */
  constructor(service, store, agreementKey, { onDelayed, onSettled }) {
    this.#service = service;
    this.#store = store;
    this.#agreementKey = agreementKey;
    this.#onDelayed = onDelayed;
    this.#onSettled = onSettled;
  }

  /** Send the answers that were kept when the app was closed. */
  async resume() {
    for (const answer of await this.#store.all("answers")) void this.#deliver(answer);
  }

  /** @param {KeptAnswer} decision */
  async submit(decision) {
    const { jti, claims, verdict } = decision;
    this.#sending.set(jti, new Pause());
    const agreed = verdict === "approve" ? await agree(this.#agreementKey, claims) : undefined;
    // The answer and its keys are stored together, so both survive if the app is closed now.
    const answer = { ...decision, agreed };
    await this.#store.put("answers", answer);
    await this.#deliver(answer);
  }

  /** @param {string} jti */
  holds(jti) {
    return this.#sending.has(jti);
  }

  /** Retry now. */
  wake() {
    for (const pause of this.#sending.values()) pause.cut();
  }

  /** @param {KeptAnswer} answer */
  async #deliver(answer) {
    const pause = this.#sending.get(answer.jti) ?? new Pause();
    this.#sending.set(answer.jti, pause);
    const outcome = await this.#send(answer, pause);
    await this.#onSettled(answer, outcome);
    await this.#store.delete("answers", answer.jti);
    this.#sending.delete(answer.jti);
  }

  /**
   * @param {KeptAnswer} answer
   * @param {Pause} pause
   * @returns {Promise<Outcome>}
   */
  async #send(answer, pause) {
    const url = `${this.#service.origin}/challenges/${answer.jti}/answer`;
    const { challenge, verdict, number, agreed } = answer;
    const payload = await answerPayload(challenge, verdict, { number, agreement_key: agreed?.jwk });
    const timeLeft = () => answer.claims.exp * 1000 + OUTCOME_MS - this.#service.now();
    for (let failures = 0; timeLeft() > 0; ) {
      try {
        const { outcome } = await this.#service.post(url, payload, ANSWER_TYPE, { [CHALLENGE_HEADER]: challenge });
        if (outcome !== RECEIVED) return { ending: endingOf(answer, outcome) };
        failures += 1;
        await pause.wait(Math.min(pauseAfter(failures), Math.max(timeLeft(), 0)));
      } catch (error) {
        if (error instanceof ProblemError && !TEMPORARY.has(error.problem)) return outcomeOfRefusal(answer, error);
        if (!(error instanceof ProblemError || error instanceof UnreachableError)) throw error;
        failures += 1;
        this.#onDelayed(answer);
        const retryAfter = error instanceof ProblemError ? error.retryAfterMs : 0;
        await pause.wait(Math.min(Math.max(retryAfter, pauseAfter(failures)), Math.max(timeLeft(), 0)));
      }
    }
    return { ending: "unsent" };
  }
}

/**
 * @param {KeptAnswer} answer
 * @param {unknown} [outcome] how the request ended, as the service says it; an older service does not
 * @returns {Ending} the ending of an accepted answer
 */
export function endingOf({ claims, verdict }, outcome) {
  if (outcome === "wrong_number") return "wrong-number";
  if (verdict === "report") return "reported";
  if (claims.purpose === "pairing") return verdict === "approve" ? "accepted" : "declined";
  return verdict === "approve" ? "approved" : "denied";
}

/**
 * @param {Ending} ending
 * @returns {boolean} whether the ending is final: a request that expired, was withdrawn, or whose answer was refused opens
 *   again if the service sends it again
 */
export function isFinal(ending) {
  return !["expired", "withdrawn", "refused"].includes(ending);
}

/**
 * @param {Ending | undefined} ending
 * @returns {import("./requests.js").Verdict | undefined} the answer that led to it, if any
 */
export function verdictOf(ending) {
  if (ending === "accepted" || ending === "approved" || ending === "wrong-number") return "approve";
  if (ending === "declined" || ending === "denied") return "deny";
  return ending === "reported" ? "report" : undefined;
}

/**
 * The outcome of a refused answer. If the response to an earlier attempt was lost, the answer meets itself.
 *
 * @param {KeptAnswer} answer
 * @param {ProblemError} error
 * @returns {Outcome}
 */
export function outcomeOfRefusal(answer, { problem, members }) {
  if (problem === "replayed-nonce") return { ending: endingOf(answer) };
  if (problem === "already-answered" && members.verdict === answer.verdict)
    return { ending: endingOf(answer, members.outcome) };
  if (problem === "already-answered") return { ending: "elsewhere", verdict: members.verdict };
  if (problem === "expired") return { ending: "expired" };
  if (problem === "unknown-challenge") return { ending: "withdrawn" };
  return { ending: "refused", problem };
}
