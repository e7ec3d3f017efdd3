/** The app's texts for problems, endings of requests and states of the connection. */

/** @typedef {import("./challenge-queue.js").Outcome} Outcome */
/** @typedef {{title: string, text: string, icon: "yes" | "no" | "alert" | "clock" | "send"}} Message */

/** @type {Record<string, string>} by the problem's name in docs/protocol.md */
const PROBLEMS = {
  malformed: "The service did not understand this app. Reload the app to get its newest version.",
  "bad-signature": "The service could not confirm this phone's signature. Reload the app and try again.",
  "wrong-url": "The app was opened at the wrong address. Open it at the address that you were given.",
  stale: "This phone's clock is wrong. Check the phone's date and time, then try again.",
  "bad-nonce": "The service did not accept this request. Try again.",
  "replayed-nonce": "This was already sent.",
  "unknown-device": "The service does not know this phone yet. Wait until it is connected, then try again.",
  "unknown-challenge": "This request is no longer waiting.",
  "already-answered": "This request was already answered.",
  expired: "The request expired before your answer arrived. Sign in again at your computer for a new request.",
  "wrong-challenge": "The service has a different request from the one shown. If you didn't start the next one, deny it.",
  "too-many-requests": "You tried too often in a short time. Wait a moment, then try again.",
  unavailable: "The service is temporarily unavailable. Try again in a moment.",
  replaced: "Another app uses this phone's key, and has taken over the connection.",
  "no-socket":
    "The service answers, but its live connection does not open. Its proxy may not pass WebSockets on: ask your administrator.",
  unreachable: "The service can't be reached. Check this phone's network, then try again.",
};

/**
 * @param {string | undefined} problem its name
 * @returns {string} what it means and what to do
 */
export function problemText(problem) {
  return PROBLEMS[problem ?? ""] ?? "The service refused this request. Reload the app and try again.";
}

/**
 * @param {Outcome} outcome
 * @returns {Message} for the result screen
 */
export function outcomeMessage({ claims, ending, verdict, problem }) {
  const { purpose, service, account_name: account } = claims;
  const isPairing = purpose === "pairing";
  const again = isPairing ? "Start again at your computer." : "Sign in again at your computer for a new request.";
  switch (ending) {
    case "sending":
      return { icon: "send", title: "Sending your answer", text: "One moment." };
    case "delayed":
      return {
        icon: "send",
        title: "Not sent yet",
        text: "The service can't be reached. We keep your answer and send it as soon as possible.",
      };
    case "accepted":
      return {
        icon: "yes",
        title: "Account connected",
        text: `This phone now approves sign-ins of ${account} to ${service}. Continue at your computer.`,
      };
    case "declined":
      return { icon: "no", title: "Pairing declined", text: `${account} was not connected to this phone.` };
    case "approved":
      return {
        icon: "yes",
        title: "Sign-in approved",
        text: `Continue at your computer. You are signing in to ${service}.`,
      };
    case "wrong-number":
      return {
        icon: "no",
        title: "Wrong number",
        text: `Your computer shows another number, so the sign-in was blocked. ${again}`,
      };
    case "denied":
      return { icon: "no", title: "Sign-in denied", text: "The sign-in was blocked." };
    case "reported":
      return {
        icon: "alert",
        title: "Reported",
        text: `We ended all sign-ins of ${account} and signed out all browsers. Someone may know your password: change it now.`,
      };
    case "expired":
      return { icon: "clock", title: "Too late", text: `This request has expired. ${again}` };
    case "withdrawn":
      return { icon: "no", title: "Request withdrawn", text: `It is no longer waiting for an answer. ${again}` };
    case "elsewhere":
      return { icon: "alert", title: "Already answered", text: answeredElsewhere(verdict) };
    case "unsent":
      return {
        icon: "alert",
        title: "Could not be sent",
        text: `The service could not be reached before the request expired. ${again}`,
      };
    case "refused":
      return { icon: "alert", title: "Answer refused", text: problemText(problem) };
  }
}

/** @param {import("./requests.js").Verdict | undefined} verdict */
function answeredElsewhere(verdict) {
  const answers = { approve: "It was approved.", deny: "It was denied.", report: "It was reported as not yours." };
  return verdict === undefined ? "It was answered in another window of this app." : `${answers[verdict]} The first answer counts.`;
}

/**
 * @param {import("./store.js").Ending} ending
 * @returns {string} a word or two for the history
 */
export function endingText(ending) {
  return {
    accepted: "Connected",
    declined: "Declined",
    approved: "Approved",
    denied: "Denied",
    "wrong-number": "Wrong number",
    reported: "Reported",
    expired: "Not answered in time",
    withdrawn: "Withdrawn",
    elsewhere: "Answered in another window",
    unsent: "Could not be sent",
    refused: "Refused",
    unpaired: "Disconnected",
  }[ending];
}

/**
 * @param {{claims: import("./challenges.js").Claims, ending: import("./store.js").Ending}} ended while another was shown
 * @returns {string}
 */
export function noticeText({ claims: { account_name, browser }, ending }) {
  return `A request for ${account_name} from ${browser.name} ended: ${endingText(ending).toLowerCase()}.`;
}

/**
 * @param {import("./store.js").Entry} removal
 * @returns {string}
 */
export function removalText({ service, account_name }) {
  return `${service} no longer uses this phone for ${account_name}.`;
}

/**
 * @param {import("./socket.js").ConnectionState} state
 * @param {boolean} online whether the phone has a network
 * @returns {string} without the seconds that are left
 */
export function connectionText({ status, problem = "unreachable" }, online) {
  if (status === "connected") return "Connected";
  if (!online) return "Offline. Waiting for a network.";
  if (status === "connecting") return "Connecting";
  if (problem === "unreachable") return "Reconnecting";
  if (problem === "unavailable" || problem === "too-many-requests") return "The service is busy. Reconnecting";
  return `${problemText(problem)} Reconnecting`;
}
