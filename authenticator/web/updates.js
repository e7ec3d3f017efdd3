/** The service worker that keeps the app for offline use, and what happens when there is a newer version. */

const CHECK_MS = 3_600_000;

/**
 * @param {(install: () => void) => void} onUpdate is told once a newer version is there, and how to change to it
 */
export async function keepForOffline(onUpdate) {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.register("/service-worker.js");
  const offer = () => {
    const { waiting } = registration;
    if (waiting === null || navigator.serviceWorker.controller === null) return;
    onUpdate(() => {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
      waiting.postMessage("take-over");
    });
  };
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
  offer();
  setInterval(() => registration.update().catch(() => {}), CHECK_MS);
}
