/** The WebSocket for challenges, opened by a signature and reopened when it is lost (docs/protocol.md, section 5). */

import { Pause, pauseAfter } from "./backoff.js";
import { ProblemError } from "./service.js";

const OPENING_MS = 15_000;
const SILENCE_MS = 60_000;
const TRY_LATER = 1013;
const REPLACED = 4409;
/** Failed tries in a row, while the service answers otherwise, after which something on the way seems to be amiss. */
const SILENT_TRIES = 2;
const CLOSED_FOR = new Map([
  [TRY_LATER, "too-many-requests"],
  [REPLACED, "replaced"],
]);
/** How long a phone stays away whose key another program connects with, unless the person looks at it. */
const REPLACED_MS = 600_000;
/** The windows of one phone share its socket: one of them has the lock and the socket, the others hear it. */
const SHARED = "countersign socket";

/**
 * @typedef {object} ConnectionState
 * @property {"connecting" | "connected" | "waiting"} status
 * @property {number} [retryAt] milliseconds since 1970 by this device's clock, while waiting
 * @property {string} [problem] why the last attempt failed: the name of a problem, or "unreachable"
 */
/** @typedef {Record<string, any> & {type: string}} Frame */
/**
 * @typedef {object} Word what windows of one phone tell each other
 * @property {"joined" | "wake" | "reopen" | "send" | "frame" | "state"} kind
 * @property {Frame} [frame]
 * @property {ConnectionState} [state]
 */

export class Socket {
  #service;
  #deviceName;
  #onFrame;
  #onState;
  #pause = new Pause();
  #others = new BroadcastChannel(SHARED);
  #leads = false;
  #greeted = false;
  /** @type {WebSocket | null} */
  #socket = null;
  #lastFrameAt = 0;
  /** The service sends pings, so silence means a dead connection. */
  #pinged = false;

  /**
   * @param {import("./service.js").Service} service
   * @param {object} options
   * @param {() => string} options.deviceName
   * @param {(frame: Frame) => void} options.onFrame
   * @param {(state: ConnectionState) => void} options.onState
   */
  constructor(service, { deviceName, onFrame, onState }) {
    this.#service = service;
    this.#deviceName = deviceName;
    this.#onFrame = onFrame;
    this.#onState = onState;
  }

  /** Stay connected without end: by this window's own socket, or by the one of another window. */
  async run() {
    this.#others.onmessage = ({ data }) => void this.#hear(data);
    this.#others.postMessage({ kind: "joined" });
    await navigator.locks.request(SHARED, () => this.#connectForEver());
  }

  /** Reconnect now, and close a connection that has been silent for too long. */
  wake() {
    if (!this.#leads) this.#others.postMessage({ kind: "wake" });
    this.#pause.cut();
    if (this.#pinged && Date.now() - this.#lastFrameAt > SILENCE_MS) this.#socket?.close();
  }

  /** Replace the connection by a new one. */
  reopen() {
    if (!this.#leads) this.#others.postMessage({ kind: "reopen" });
    this.#socket?.close();
  }

  /** @param {Frame} frame */
  send(frame) {
    if (!this.#leads) this.#others.postMessage({ kind: "send", frame });
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  async #connectForEver() {
    this.#leads = true;
    for (let failures = 0; ; ) {
      this.#tell({ status: "connecting" });
      let problem = "unreachable";
      try {
        if (failures > 0 || this.#service.directory === undefined) await this.#service.discover();
        problem = await this.#connection(() => (failures = 0));
        if (problem === "unreachable" && !this.#greeted && failures >= SILENT_TRIES) problem = "no-socket";
      } catch (error) {
        if (error instanceof ProblemError) problem = error.problem;
      }
      failures += 1;
      const pause = problem === "replaced" ? REPLACED_MS : pauseAfter(failures);
      this.#tell({ status: "waiting", retryAt: Date.now() + pause, problem });
      await this.#pause.wait(pause);
    }
  }

  /**
   * Hear another window: the one with the socket hears wishes, all others hear what the socket brings.
   *
   * @param {Word} word
   */
  async #hear({ kind, frame, state }) {
    if (!this.#leads) {
      if (kind === "frame" && frame) await this.#take(frame);
      if (kind === "state" && state) this.#onState(state);
    } else if (kind === "joined" || kind === "reopen") this.reopen(); // all that waits is then sent again
    else if (kind === "wake") this.wake();
    else if (kind === "send" && frame) this.send(frame);
  }

  /** @param {ConnectionState} state */
  #tell(state) {
    this.#others.postMessage({ kind: "state", state });
    this.#onState(state);
  }

  /** @param {Frame} frame */
  async #take(frame) {
    if (frame.type === "ping" || frame.type === "ready") await this.#service.setTime(frame.server_time);
    else this.#onFrame(frame);
  }

  /**
   * One connection, from its opening to its end.
   *
   * @param {() => void} onReady
   * @returns {Promise<string>} why it ended
   */
  #connection(onReady) {
    const url = /** @type {string} */ (this.#service.directory?.socket_url);
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#pinged = this.#greeted = false;
    this.#lastFrameAt = Date.now();
    const opening = setTimeout(() => socket.close(), OPENING_MS);
    const silence = setInterval(() => this.wake(), SILENCE_MS / 4);
    let problem = "unreachable";
    socket.onmessage = async ({ data }) => {
      this.#lastFrameAt = Date.now();
      const frame = readFrame(data);
      this.#greeted = true;
      if (frame.type === "hello") return this.#open(url, frame.nonce);
      if (frame.type === "problem") {
        problem = new ProblemError(frame.problem ?? {}, 400).problem;
        return;
      }
      if (frame.type === "ping") this.#pinged = true;
      this.#others.postMessage({ kind: "frame", frame });
      await this.#take(frame);
      if (frame.type !== "ready") return;
      clearTimeout(opening);
      onReady();
      this.#tell({ status: "connected" });
    };
    return new Promise((resolve) => {
      socket.onclose = ({ code }) => {
        clearTimeout(opening);
        clearInterval(silence);
        resolve(CLOSED_FOR.get(code) ?? problem);
      };
    });
  }

  /**
   * @param {string} url
   * @param {string} nonce
   */
  async #open(url, nonce) {
    const request = await this.#service.sign(url, nonce, { device_name: this.#deviceName() });
    this.send({ type: "open", request });
  }
}

/**
 * @param {unknown} data
 * @returns {Frame} of type "" if it does not fit the protocol
 */
function readFrame(data) {
  try {
    const frame = JSON.parse(String(data));
    return typeof frame?.type === "string" ? frame : { type: "" };
  } catch {
    return { type: "" };
  }
}
