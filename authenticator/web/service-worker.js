/** Caches the app's files of one version for offline use, and no response of a service. */

// The first twelve characters of the files' digest; after a change, a test says what to write here.
const VERSION = "e7b310dd63d0";
const SHELL = [
  "/",
  "/accounts.js",
  "/agreement.js",
  "/app.js",
  "/attention.js",
  "/backoff.js",
  "/challenge-queue.js",
  "/challenges.js",
  "/codes.js",
  "/countdown.js",
  "/dom.js",
  "/encoding.js",
  "/frame.js",
  "/icons.js",
  "/icons/badge-96.png",
  "/icons/icon-192.png",
  "/icons/icon-512.png",
  "/icons/icon.svg",
  "/icons/maskable-512.png",
  "/inbox.js",
  "/jose.js",
  "/keys.js",
  "/manifest.webmanifest",
  "/names.js",
  "/outbox.js",
  "/phone.js",
  "/phrases.js",
  "/removals.js",
  "/requests.js",
  "/retries.js",
  "/ring.js",
  "/routes.js",
  "/screens.js",
  "/service.js",
  "/shapes.js",
  "/socket.js",
  "/store.js",
  "/style.css",
  "/times.js",
  "/trust.js",
  "/unpaired.js",
  "/updates.js",
  "/views/code.js",
  "/views/history.js",
  "/views/home.js",
  "/views/number.js",
  "/views/phrase.js",
  "/views/remove.js",
  "/views/request.js",
  "/views/result.js",
  "/views/settings.js",
  "/views/unfit.js",
  "/views/welcome.js",
  "/words.js",
];
const PAGE_TIMEOUT_MS = 3000;
const CACHE = `shell ${VERSION}`;

addEventListener("install", (event) => {
  const fresh = SHELL.map((path) => new Request(path, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
});

addEventListener("activate", (event) => {
  const clear = async () => {
    const old = (await caches.keys()).filter((name) => name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(clear());
});

addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin || !SHELL.includes(pathname)) return;
  event.respondWith(pathname === "/" ? page() : cached(event.request, pathname));
});

/** The page's headers list the addresses that it may connect to, so a fresh response goes before the cached one. */
async function page() {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch("/", { cache: "no-cache", signal: AbortSignal.timeout(PAGE_TIMEOUT_MS) });
    if (response.ok) await cache.put("/", response.clone());
    return response;
  } catch (error) {
    const response = await cache.match("/");
    if (response === undefined) throw error;
    return response;
  }
}

/**
 * @param {Request} request
 * @param {string} pathname
 */
async function cached(request, pathname) {
  return (await (await caches.open(CACHE)).match(pathname)) ?? fetch(request);
}

addEventListener("message", ({ data }) => {
  if (data === "take-over") skipWaiting();
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  const show = async () => {
    const [open] = await clients.matchAll({ type: "window" });
    return open === undefined ? clients.openWindow("/") : open.focus();
  };
  event.waitUntil(show());
});
