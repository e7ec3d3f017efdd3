/** What this phone keeps, in IndexedDB. Tabs of the app share it and tell each other of changes. */

const NAME = "countersign";
const VERSION = 1;
const HISTORY_LIMIT = 200;

/** @typedef {"device" | "accounts" | "history" | "answers"} Table */
/**
 * @typedef {object} Account
 * @property {string} issuer who asks for its sign-ins
 * @property {string} account_id
 * @property {string} account_name
 * @property {string} service
 * @property {string[]} keys thumbprints that are pinned for the issuer
 * @property {number} since milliseconds since 1970
 * @property {string} pairing_id the pairing that connected it
 * @property {CryptoKey} [codeKey] what its verification codes are made with, if that was agreed on
 */
/** @typedef {"accepted" | "declined" | "approved" | "denied" | "reported" | "expired" | "withdrawn" | "elsewhere" | "unsent"
 *   | "refused" | "unpaired"} Ending */
/**
 * @typedef {object} Entry one request and how it ended, or the end of a pairing
 * @property {string} jti
 * @property {"pairing" | "login" | "parting"} purpose
 * @property {string} service
 * @property {string} account_name
 * @property {import("./challenges.js").Browser} [browser] of a request
 * @property {string} [issuer] of a parting
 * @property {string} [account_id] of a parting
 * @property {number} asked milliseconds since 1970
 * @property {number} at when it ended, milliseconds since 1970
 * @property {Ending} ending
 */
/**
 * @typedef {object} KeptAnswer an answer that the person gave and the service has not confirmed yet
 * @property {string} jti
 * @property {string} challenge its compact JWS
 * @property {import("./challenges.js").Claims} claims
 * @property {import("./requests.js").Verdict} verdict
 * @property {number} [number] the number that the person entered
 * @property {import("./agreement.js").Agreed} [agreed] in an accepted pairing
 */

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @returns {Promise<Store>} */
export async function openStore() {
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = () => {
    const db = request.result;
    db.createObjectStore("device");
    db.createObjectStore("accounts", { keyPath: ["issuer", "account_id"] });
    db.createObjectStore("history", { keyPath: "jti" }).createIndex("at", "at");
    db.createObjectStore("answers", { keyPath: "jti" });
  };
  const db = await settled(request);
  db.onversionchange = () => db.close();
  return new Store(db);
}

export class Store {
  #db;
  #channel = new BroadcastChannel(NAME);

  /** @param {IDBDatabase} db */
  constructor(db) {
    this.#db = db;
  }

  /** @param {() => void} listener is called when another tab changed something */
  onChangeElsewhere(listener) {
    this.#channel.onmessage = listener;
  }

  /**
   * @param {Table} table
   * @param {IDBValidKey} key
   * @returns {Promise<any>} undefined if there is none
   */
  get(table, key) {
    return settled(this.#table(table, "readonly").get(key));
  }

  /**
   * @param {Table} table
   * @returns {Promise<any[]>}
   */
  all(table) {
    return settled(this.#table(table, "readonly").getAll());
  }

  /**
   * @param {Table} table
   * @param {unknown} value
   * @param {IDBValidKey} [key] for the table "device"
   */
  async put(table, value, key) {
    await settled(this.#table(table, "readwrite").put(value, key));
    this.#channel.postMessage(table);
  }

  /**
   * @param {Table} table
   * @param {IDBValidKey} key
   */
  async delete(table, key) {
    await settled(this.#table(table, "readwrite").delete(key));
    this.#channel.postMessage(table);
  }

  /**
   * Remove an account if it is still there by the pairing that ended, and not by a later one.
   *
   * @param {import("./unpaired.js").Unpaired} statement
   * @returns {Promise<Account | undefined>} what was removed
   */
  async removePaired({ iss, account_id, pairing_id }) {
    const table = this.#table("accounts", "readwrite");
    const account = /** @type {Account | undefined} */ (await settled(table.get([iss, account_id])));
    if (account?.pairing_id !== pairing_id) return undefined;
    await settled(table.delete([iss, account_id]));
    return account;
  }

  /**
   * Keep a value unless another tab was first.
   *
   * @param {string} key in the table "device"
   * @param {any} value
   * @returns {Promise<any>} the value that stands
   */
  async claim(key, value) {
    const table = this.#table("device", "readwrite");
    const standing = await settled(table.get(key));
    if (standing !== undefined) return standing;
    await settled(table.put(value, key));
    return value;
  }

  /**
   * Write down how a request ended, and forget the oldest ones. What a person answered on this phone is not overwritten
   * by what another tab saw from outside.
   *
   * @param {Entry} entry
   */
  async record(entry) {
    const table = this.#table("history", "readwrite");
    const standing = await settled(table.get(entry.jti));
    if (standing !== undefined && entry.ending === "elsewhere") return;
    await settled(table.put(entry));
    const surplus = (await settled(table.count())) - HISTORY_LIMIT;
    if (surplus > 0) {
      const oldest = await settled(table.index("at").getAllKeys(null, surplus));
      await Promise.all(oldest.map((key) => settled(table.delete(key))));
    }
    this.#channel.postMessage("history");
  }

  /**
   * @param {Table} table
   * @param {IDBTransactionMode} mode
   */
  #table(table, mode) {
    return this.#db.transaction(table, mode).objectStore(table);
  }
}
