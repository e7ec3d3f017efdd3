/** The authenticator without its screens: its state, its actions, and its listeners. */

import { agreementKey, deviceKey } from "./keys.js";
import { ChallengeQueue } from "./challenge-queue.js";
import { requestPhrase } from "./phrases.js";
import { Removals } from "./removals.js";
import { Service } from "./service.js";
import { Socket } from "./socket.js";
import { PinnedTrust } from "./trust.js";

export class Phone {
  name = "";
  /** @type {import("./store.js").Account[]} oldest first */
  accounts = [];
  /** @type {import("./store.js").Entry[]} newest first */
  history = [];
  /** @type {import("./phrases.js").Phrase | undefined} */
  phrase;
  /** @type {import("./socket.js").ConnectionState} */
  connection = { status: "connecting" };
  #listeners = /** @type {(() => void)[]} */ ([]);
  #store;
  #running = false;

  /**
   * @param {import("./store.js").Store} store
   * @returns {Promise<Phone>}
   */
  static async open(store) {
    const keys = { key: await deviceKey(store), agreementKey: await agreementKey(store) };
    const phone = new Phone(store, keys, await store.get("device", "directory"));
    store.onChangeElsewhere(() => phone.#load());
    await phone.#load();
    if (phone.service.directory === undefined) void phone.#discover();
    return phone;
  }

  /**
   * @param {import("./store.js").Store} store
   * @param {{key: import("./requests.js").DeviceKey, agreementKey: import("./agreement.js").AgreementKey}} keys
   * @param {import("./service.js").Directory | undefined} directory
   */
  constructor(store, { key, agreementKey }, directory) {
    this.id = key.id;
    this.#store = store;
    this.service = new Service(key, store, directory);
    this.socket = new Socket(this.service, {
      deviceName: () => this.name,
      onFrame: (frame) => this.#handle(frame),
      onState: (state) => this.#setConnection(state),
    });
    const context = { deviceId: key.id, store, service: this.service, trust: new PinnedTrust(store, this.service) };
    this.removals = new Removals(context);
    this.queue = new ChallengeQueue({
      ...context,
      agreementKey,
      onShown: (jti) => this.socket.send({ type: "receipt", challenge_id: jti }),
      onChange: () => this.#load(),
    });
  }

  /** @param {() => void} listener called after each change */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  /** @param {string} name from 1 to 60 characters */
  async rename(name) {
    if (name === this.name) return;
    await this.#store.put("device", name, "name");
    if (this.#running) this.socket.reopen();
    await this.#load();
  }

  async requestPhrase() {
    this.phrase = { status: "asking" };
    this.#changed();
    this.phrase = await requestPhrase(this.service, this.#store, this.name);
    this.#changed();
  }

  async forgetPhrase() {
    this.phrase = undefined;
    await this.#store.delete("device", "phrase");
    await this.#load();
  }

  /** @param {import("./store.js").Account} account */
  async removeAccount({ issuer, account_id }) {
    await this.#store.delete("accounts", [issuer, account_id]);
    await this.#load();
  }

  /** Retry everything now: the network is back, or the person looks at the screen. */
  wake() {
    this.socket.wake();
    this.queue.outbox.wake();
  }

  async #load() {
    const [name, accounts, history, phrase] = await Promise.all([
      this.#store.get("device", "name"),
      this.#store.all("accounts"),
      this.#store.all("history"),
      this.#store.get("device", "phrase"),
    ]);
    this.name = name ?? "";
    this.accounts = accounts.sort((a, b) => a.since - b.since);
    this.history = history.sort((a, b) => b.at - a.at);
    if (this.phrase === undefined || this.phrase.status === "ready") this.phrase = phrase;
    this.removals.update(this.history);
    this.queue.reconcile(this.history);
    if (!this.#running && this.name !== "") this.#start();
    this.#changed();
    if (await this.removals.retry()) await this.#load();
  }

  /** Fetch the product's name for the first screen. If that fails, the socket fetches it again. */
  async #discover() {
    await this.service.discover().catch((error) => console.info("Service not reached yet:", error.message));
    this.#changed();
  }

  /** Connect, once the phone has a name. */
  #start() {
    this.#running = true;
    void this.socket.run();
    void this.queue.resume();
  }

  /** @param {import("./socket.js").ConnectionState} state */
  #setConnection(state) {
    this.connection = state;
    if (state.status === "connected") this.queue.outbox.wake();
    this.#changed();
  }

  /** @param {import("./socket.js").Frame} frame */
  #handle({ type, challenge, challenge_id, challenge_ids, reason, statement }) {
    if (type === "challenge") void this.queue.inbox.receive(String(challenge));
    if (type === "ended") this.queue.end(String(challenge_id), reason);
    if (type === "unpaired") void this.#remove(String(statement));
    if (type === "waiting") this.queue.endAllBut(new Set(challenge_ids));
  }

  /** @param {string} statement */
  async #remove(statement) {
    if (await this.removals.receive(statement)) await this.#load();
  }

  #changed() {
    for (const listener of this.#listeners) listener();
  }
}
