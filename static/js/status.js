// What the person has to know about the connection, and what to do when a request fails.
// The words stand in the page (templates/ui/status.html), so that they are translated.

const get = (id) => document.getElementById(id);
const { body } = document;
export const words = get("words").dataset;
const STREAM = "/ui/events/";

export function say(text, tone = "") {
  const toast = document.createElement("div");
  toast.className = `toast ${tone}`;
  toast.textContent = text;
  get("toasts").replaceChildren(toast);
}

// ---- Requests that failed: nothing was swapped, so what was typed is still there ----

const EXPLAINED = [401, 409, 410, 413, 422]; // the page has an answer of its own for these

document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  const { status } = ctx.response;
  if (ctx.request.action.startsWith(STREAM)) return streamFailed(status);
  if (EXPLAINED.includes(status)) return;
  if (status === 404 && ctx.sourceEvent?.type === "refresh") return; // it was deleted meanwhile
  if (status >= 500) return say(`${words.errorServer} [${ctx.response.headers.get("X-Request-ID")}]`, "bad");
  say(words[`error${status}`] ?? words.errorOther, "bad");
});

document.addEventListener("htmx:error", ({ detail: { ctx, error } }) => {
  if (ctx?.request.action.startsWith(STREAM)) return streamFailed();
  if (ctx && error?.name !== "AbortError") say(navigator.onLine ? words.unreachable : words.offline, "bad");
});

document.addEventListener("htmx:before:request", (event) => {
  if (navigator.onLine || event.detail.ctx.request.method === "GET") return;
  event.preventDefault();
  say(words.offline, "bad");
});

// ---- Offline: reading goes on, sending waits ----

const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "short" });
let loadedAt = clock.format();
document.addEventListener("htmx:after:swap", () => (loadedAt = clock.format()));

function showConnection() {
  const bar = get("offline");
  bar.hidden = navigator.onLine;
  bar.querySelector("time").textContent = loadedAt;
  for (const button of document.querySelectorAll("#card button")) button.ariaDisabled = navigator.onLine ? null : "true";
}

addEventListener("offline", showConnection);
addEventListener("online", () => {
  showConnection();
  // An open stream may outlive a break, while what it made the page ask for was lost.
  htmx.trigger(body, "resync");
});
showConnection();

// ---- The stream: after three failures the page asks by itself, less often when nobody looks ----

const FAILURES = 3, VISIBLE_MS = 20_000, IDLE_MS = 60_000;
let failures = 0, timer = 0, active = Date.now();

function showStream(state) {
  const live = get("live");
  live.dataset.state = state;
  live.firstElementChild.textContent = words[state];
}

function ask() {
  if (!document.hidden) htmx.trigger(body, "resync");
  timer = setTimeout(ask, Date.now() - active < IDLE_MS ? VISIBLE_MS : IDLE_MS);
}

function streamFailed(status) {
  if (status === 401) signedOut();
  failures += 1;
  showStream("reconnecting");
  if (failures >= FAILURES && !timer) ask();
}

for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, () => (active = Date.now()), true);
body.addEventListener("htmx:sse:error", (event) => streamFailed(event.detail.status));
body.addEventListener("htmx:sse:after:connection", () => {
  clearTimeout(timer);
  [failures, timer] = [0, 0];
  showStream("live");
});
// What failed before it began is not tried again by the extension.
setInterval(() => failures && htmx.trigger(body, "reconnect"), VISIBLE_MS);

// ---- Signed out, here or in another tab ----

// The stream's session ended. A new password in another tab gives it a new key: its cookie is on the way.
const COOKIE_MS = 1000;
const signedOut = async () => (await import("./lazy/signed-out.js")).ask();
body.addEventListener("signed-out", signedOut);
body.addEventListener("bye", async (event) => {
  if (JSON.parse(event.detail.data).reason !== "signed-out") return;
  await new Promise((resolve) => setTimeout(resolve, COOKIE_MS));
  const path = document.querySelector("[hx-get][hx-trigger^='counts']").getAttribute("hx-get");
  const answer = await fetch(path, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.status === 401) signedOut();
});
