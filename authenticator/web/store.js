/** This phone's data, in IndexedDB. The app's tabs share it, and notify each other of changes. */

const NAME = "countersign";
const VERSION = 1;
const HISTORY_LIMIT = 200;

/** @typedef {"device" | "accounts" | "history" | "answers"} Table */
/**
 * @typedef {object} Account
 * @property {string} issuer of its challenges
 * @property {string} account_id
 * @property {string} account_name
 * @property {string} service
 * @property {string[]} keys thumbprints that are pinned for the issuer
 * @property {number} since milliseconds since 1970
 * @property {string} pairing_id the pairing that connected it
 * @property {CryptoKey} [codeKey] the key for its verification codes, if it has codes
 */
/** @typedef {"accepted" | "declined" | "approved" | "denied" | "wrong-number" | "reported" | "expired" | "withdrawn" | "elsewhere" | "unsent"
 *   | "refused" | "unpaired"} Ending */
/**
 * @typedef {object} Entry a request and its ending, or the removal of an account
 * @property {string} jti
 * @property {"pairing" | "login" | "removal"} purpose
 * @property {string} service
 * @property {string} account_name
 * @property {import("./challenges.js").Browser} [browser] of a request
 * @property {string} [issuer] of a removal
 * @property {string} [account_id] of a removal
 * @property {number} asked milliseconds since 1970
 * @property {number} at when it ended, milliseconds since 1970
 * @property {Ending} ending
 */
/**
 * @typedef {object} KeptAnswer an answer that the service has not confirmed yet
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

  /** @param {() => void} listener called after a change in another tab */
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
   * Remove an account if it is from the pairing that ended, and not from a later one.
   *
   * @param {import("./unpaired.js").Unpaired} statement
   * @returns {Promise<Account | undefined>} the removed account
   */
  async removePaired({ iss, account_id, pairing_id }) {
    const table = this.#table("accounts", "readwrite");
    const account = /** @type {Account | undefined} */ (await settled(table.get([iss, account_id])));
    if (account?.pairing_id !== pairing_id) return undefined;
    await settled(table.delete([iss, account_id]));
    return account;
  }

  /**
   * Store a value unless there is one already, perhaps from another tab.
   *
   * @param {string} key in the table "device"
   * @param {any} value
   * @returns {Promise<any>} the stored value
   */
  async claim(key, value) {
    const table = this.#table("device", "readwrite");
    const existing = await settled(table.get(key));
    if (existing !== undefined) return existing;
    await settled(table.put(value, key));
    return value;
  }

  /**
   * Record an entry, and delete the oldest ones. "elsewhere" does not overwrite an answer from this phone.
   *
   * @param {Entry} entry
   */
  async record(entry) {
    const table = this.#table("history", "readwrite");
    const existing = await settled(table.get(entry.jti));
    if (existing !== undefined && entry.ending === "elsewhere") return;
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
