/** Starts the authenticator and renders its screen. */

import { Attention } from "./attention.js";
import { el } from "./dom.js";
import { Frame } from "./frame.js";
import { Phone } from "./phone.js";
import { readRoute } from "./routes.js";
import { chooseScreen } from "./screens.js";
import { openStore } from "./store.js";
import { keepForOffline } from "./updates.js";
import { phraseState } from "./views/phrase.js";
import { unfitView } from "./views/unfit.js";
import { noticeText, removalText } from "./words.js";

const TICK_MS = 1000;
const DEFAULT_PRODUCT = "Authenticator";

class App {
  #phone;
  #frame;
  #attention = new Attention();
  /** @type {import("./screens.js").Screen | undefined} */
  #screen;
  #key = "";
  #routeName = "";
  /** @type {import("./challenge-queue.js").ChallengeQueue["notice"]} */
  #lastNotice;
  /** How many of the ended pairings have a banner. */
  #removalsShown = 0;

  /** @param {Phone} phone */
  constructor(phone) {
    this.#phone = phone;
    this.#frame = new Frame({ onRetry: () => phone.wake() });
    document.body.replaceChildren(this.#frame.node);
  }

  run() {
    const render = () => this.#render();
    const wake = () => {
      if (!document.hidden) this.#phone.wake();
      render();
    };
    this.#phone.onChange(render);
    for (const event of ["hashchange", "online", "offline"]) addEventListener(event, render);
    addEventListener("online", wake);
    document.addEventListener("visibilitychange", wake);
    setInterval(() => {
      this.#phone.queue.inbox.expire(this.#phone.connection.status === "connected");
      render();
    }, TICK_MS);
    render();
    void keepForOffline((act) => this.#frame.showBanner("A new version of this app is available.", { label: "Reload", act }));
  }

  #render() {
    const { queue, removals, service, connection, name } = this.#phone;
    this.#enterRoute();
    const choice = chooseScreen(this.#phone, { notify: (text) => this.#frame.showNotice(text), goHome: () => this.#goHome() });
    const product = service.directory?.product_name ?? DEFAULT_PRODUCT;
    this.#frame.update({ product, connection, tab: choice.tab, asks: choice.asks === true, named: name !== "" });
    if (choice.key === this.#key) this.#screen?.update();
    else this.#show(choice);
    this.#attention.update(queue.waiting, product);
    if (queue.notice !== undefined && queue.notice !== this.#lastNotice) this.#frame.showNotice(noticeText(queue.notice));
    this.#lastNotice = queue.notice;
    for (const removal of removals.ended.slice(this.#removalsShown)) this.#frame.showBanner(removalText(removal));
    this.#removalsShown = removals.ended.length;
  }

  /** @param {import("./screens.js").Choice} choice */
  #show({ key, make }) {
    const isFirst = this.#key === "";
    this.#screen?.close?.();
    this.#key = key;
    this.#screen = make();
    this.#frame.main.replaceChildren(this.#screen.node);
    scrollTo(0, 0);
    const heading = isFirst ? null : this.#screen.node.querySelector("h1");
    (this.#screen.first ?? heading)?.focus();
  }

  /** Leave a screen that the back button must not open again. */
  #goHome() {
    history.replaceState(null, "", "#/");
    this.#render();
  }

  /** A tap on + New Account requests a phrase; a reload keeps the present one. */
  #enterRoute() {
    // The phrase was used while another screen was open: there is nothing to return to.
    if (this.#routeName === "new-account" && this.#phone.phrase === undefined) history.replaceState(null, "", "#/");
    const { name } = readRoute(location.hash);
    const isReload = this.#routeName === "";
    if (name === this.#routeName || this.#phone.name === "") return;
    this.#routeName = name;
    const state = phraseState(this.#phone);
    const wanted = this.#phone.phrase === undefined || (!isReload && (state === "over" || state === "failed"));
    if (name === "new-account" && wanted) void this.#phone.requestPhrase();
    if (this.#phone.accounts.length > 0) void navigator.storage?.persist?.();
  }
}

async function main() {
  if (!isSecureContext || crypto.subtle === undefined) return document.body.replaceChildren(unfit("insecure"));
  try {
    new App(await Phone.open(await openStore())).run();
  } catch (error) {
    console.error(error);
    document.body.replaceChildren(unfit("storage"));
  }
}

/** @param {"insecure" | "storage"} reason */
function unfit(reason) {
  return el("div", { class: "app" }, el("main", {}, unfitView(reason)));
}

void main();
