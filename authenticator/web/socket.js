/** The WebSocket for challenges, opened by a signature and reopened when it is lost (docs/protocol.md, section 5). */

import { Pause, pauseAfter } from "./backoff.js";
import { ProblemError } from "./service.js";

const OPENING_MS = 15_000;
const SILENCE_MS = 60_000;
const TRY_LATER = 1013;

/**
 * @typedef {object} ConnectionState
 * @property {"connecting" | "connected" | "waiting"} status
 * @property {number} [retryAt] milliseconds since 1970 by this device's clock, while waiting
 * @property {string} [problem] why the last attempt failed: the name of a problem, or "unreachable"
 */
/** @typedef {Record<string, any> & {type: string}} Frame */

export class Socket {
  #service;
  #deviceName;
  #onFrame;
  #onState;
  #pause = new Pause();
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

  /** Connect, and reconnect whenever the connection is lost, without end. */
  async run() {
    for (let failures = 0; ; ) {
      this.#onState({ status: "connecting" });
      let problem = "unreachable";
      try {
        if (failures > 0 || this.#service.directory === undefined) await this.#service.discover();
        problem = await this.#connection(() => (failures = 0));
      } catch (error) {
        if (error instanceof ProblemError) problem = error.problem;
      }
      failures += 1;
      const pause = pauseAfter(failures);
      this.#onState({ status: "waiting", retryAt: Date.now() + pause, problem });
      await this.#pause.wait(pause);
    }
  }

  /** Reconnect now, and close a connection that has been silent for too long. */
  wake() {
    this.#pause.cut();
    if (this.#pinged && Date.now() - this.#lastFrameAt > SILENCE_MS) this.#socket?.close();
  }

  /** Replace the connection by a new one. */
  reopen() {
    this.#socket?.close();
  }

  /** @param {Frame} frame */
  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
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
    this.#pinged = false;
    this.#lastFrameAt = Date.now();
    const opening = setTimeout(() => socket.close(), OPENING_MS);
    const silence = setInterval(() => this.wake(), SILENCE_MS / 4);
    let problem = "unreachable";
    socket.onmessage = async ({ data }) => {
      this.#lastFrameAt = Date.now();
      const frame = readFrame(data);
      if (frame.type === "hello") await this.#open(url, frame.nonce);
      else if (frame.type === "ping") {
        this.#pinged = true;
        await this.#service.setTime(frame.server_time);
      } else if (frame.type === "problem") problem = new ProblemError(frame.problem ?? {}, 400).problem;
      else if (frame.type === "ready") {
        clearTimeout(opening);
        onReady();
        await this.#service.setTime(frame.server_time);
        this.#onState({ status: "connected" });
      } else this.#onFrame(frame);
    };
    return new Promise((resolve) => {
      socket.onclose = ({ code }) => {
        clearTimeout(opening);
        clearInterval(silence);
        resolve(code === TRY_LATER ? "too-many-requests" : problem);
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
