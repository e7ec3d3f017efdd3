/** Registers the service worker, and offers a newer version of the app. */

const CHECK_MS = 3_600_000;

/**
 * @param {(install: () => void) => void} onUpdate called once a newer version is available, with the function that installs it
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
