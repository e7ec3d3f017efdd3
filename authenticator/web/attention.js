/** Ways to reach a person who does not look at the app: notification, title, badge, vibration. */

const FLASH_MS = 1000;
const PATTERN = [200, 100, 200];

/** @typedef {import("./challenges.js").Claims} Claims */

/** @returns {"granted" | "denied" | "default" | "unsupported"} */
export function notificationPermission() {
  return "Notification" in window ? Notification.permission : "unsupported";
}

/** @param {Claims} claims */
function summary({ purpose, service, account_name }) {
  return purpose === "pairing"
    ? `${service} wants to connect account ${account_name}`
    : `Approve the sign-in of ${account_name} to ${service}?`;
}

export class Attention {
  /** @type {Set<string>} requests that were called for */
  #called = new Set();
  #title = document.title;
  #flash = 0;

  /**
   * @param {import("./inbox.js").Waiting[]} waiting
   * @param {string} title the app's
   */
  update(waiting, title) {
    const ids = new Set(waiting.map(({ claims }) => claims.jti));
    for (const { claims } of waiting) if (!this.#called.has(claims.jti)) this.#call(claims);
    for (const jti of this.#called) if (!ids.has(jti)) void withdraw(jti);
    this.#called = ids;
    this.#title = title;
    this.#showTitle(waiting.length);
    const badge = waiting.length > 0 ? navigator.setAppBadge?.(waiting.length) : navigator.clearAppBadge?.();
    badge?.catch(() => {});
  }

  /** @param {Claims} claims */
  #call(claims) {
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(PATTERN);
    if (document.hidden && notificationPermission() === "granted") void notify(claims);
  }

  /** @param {number} count */
  #showTitle(count) {
    clearInterval(this.#flash);
    document.title = count > 0 ? `(${count}) ${this.#title}` : this.#title;
    if (count === 0 || !document.hidden) return;
    let on = false;
    this.#flash = setInterval(() => {
      on = !on;
      document.title = on ? "Request waiting" : `(${count}) ${this.#title}`;
    }, FLASH_MS);
  }
}

/** @param {Claims} claims */
async function notify(claims) {
  const registration = await navigator.serviceWorker?.ready;
  await registration?.showNotification(summary(claims), {
    body: `${claims.browser.name}, ${claims.browser.address}`,
    tag: claims.jti,
    icon: "/icons/icon-192.png",
    badge: "/icons/badge-96.png",
    requireInteraction: true,
  });
}

/** @param {string} jti */
async function withdraw(jti) {
  const registration = await navigator.serviceWorker?.getRegistration();
  for (const notification of (await registration?.getNotifications({ tag: jti })) ?? []) notification.close();
}
