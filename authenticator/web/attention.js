/** Signals a request to a person who does not look at the app: notification, title, badge, vibration. */

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

/**
 * @param {number} count of requests
 * @param {string} title the app's
 * @returns {string} alternates each second while the app is hidden
 */
function titleFor(count, title) {
  if (count === 0) return title;
  const isOdd = Math.floor(Date.now() / FLASH_MS) % 2 === 1;
  return document.hidden && isOdd ? "Request waiting" : `(${count}) ${title}`;
}

export class Attention {
  /** @type {Set<string>} ids of the requests that were signalled */
  #signalled = new Set();

  /**
   * Update all signals; called each second.
   *
   * @param {import("./inbox.js").Waiting[]} waiting
   * @param {string} title the app's
   */
  update(waiting, title) {
    const ids = new Set(waiting.map(({ claims }) => claims.jti));
    for (const { claims } of waiting) if (!this.#signalled.has(claims.jti)) this.#signal(claims);
    for (const jti of this.#signalled) if (!ids.has(jti)) void withdraw(jti);
    if (ids.size !== this.#signalled.size) navigator.setAppBadge?.(ids.size).catch(() => {});
    this.#signalled = ids;
    document.title = titleFor(ids.size, title);
  }

  /** @param {Claims} claims */
  #signal(claims) {
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(PATTERN);
    if (document.hidden && notificationPermission() === "granted") void notify(claims);
  }
}

/** @param {Claims} claims */
async function notify(claims) {
  const { name, address, place } = claims.browser;
  const registration = await navigator.serviceWorker?.ready;
  await registration?.showNotification(summary(claims), {
    body: [name, address, place].filter(Boolean).join(", "),
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
