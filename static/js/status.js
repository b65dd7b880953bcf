// What the person has to know about the connection, and what to do when a request fails.
// The words stand in the page (templates/ui/status.html), so that they are translated.

const words = document.getElementById("words").dataset;
const toasts = document.getElementById("toasts");
const body = document.body;
const STREAM = "/ui/events/";

export function say(text, tone = "") {
  const toast = document.createElement("div");
  toast.className = `toast ${tone}`;
  toast.append(Object.assign(document.createElement("span"), { textContent: text }));
  toasts.replaceChildren(toast);
}

// Requests that failed. Nothing was swapped, so what was typed is still there.

document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  const { status } = ctx.response;
  if (ctx.request.action.startsWith(STREAM)) return streamFailed(status);
  if (status === 401 || [409, 410, 413, 422].includes(status)) return;
  if (status === 404 && ctx.sourceEvent?.type === "refresh") return; // it was deleted meanwhile
  say(words[`error${status}`] ?? (status >= 500 ? words.errorServer : words.errorOther), "bad");
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

// Offline: reading goes on, sending waits.

const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "short" });
let loadedAt = clock.format();
document.addEventListener("htmx:after:swap", () => (loadedAt = clock.format()));
function showConnection() {
  const bar = document.getElementById("offline");
  bar.hidden = navigator.onLine;
  bar.querySelector("time").textContent = loadedAt;
  for (const button of document.querySelectorAll("#card button")) {
    if (navigator.onLine) button.removeAttribute("aria-disabled");
    else button.setAttribute("aria-disabled", "true");
  }
}
addEventListener("online", showConnection);
// An open stream may outlive a break, while what it made the page ask for was lost.
addEventListener("online", () => htmx.trigger(body, "resync"));
addEventListener("offline", showConnection);
showConnection();

// The stream. After three failures the page asks by itself, less often when nobody is looking.

const FAILURES = 3, VISIBLE_MS = 20_000, IDLE_MS = 60_000;
let failures = 0, timer = 0, active = Date.now();
const live = document.getElementById("live");

function showStream(state) {
  live.dataset.state = state;
  live.querySelector("span").textContent = words[state];
}
function ask() {
  if (!document.hidden) htmx.trigger(body, "resync");
  timer = setTimeout(ask, Date.now() - active < IDLE_MS ? VISIBLE_MS : IDLE_MS);
}
for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, () => (active = Date.now()), true);
body.addEventListener("htmx:sse:after:connection", () => {
  clearTimeout(timer);
  [failures, timer] = [0, 0];
  showStream("live");
});
function streamFailed(status) {
  if (status === 401) signedOut();
  failures += 1;
  showStream("reconnecting");
  if (failures >= FAILURES && !timer) ask();
}
body.addEventListener("htmx:sse:error", (event) => streamFailed(event.detail.status));
// What failed before it began is not tried again by the extension.
setInterval(() => failures && htmx.trigger(body, "reconnect"), VISIBLE_MS);

// Signed out: sign in again in place, and go on where one was.

const COOKIE_MS = 1000;
const door = document.getElementById("signed-out");
const wrong = door.querySelector(".err").lastChild.data;
function signedOut() {
  if (!door.open) door.showModal();
}
body.addEventListener("signed-out", signedOut);
// The stream's session ended. A new password in another tab gives it a new key: its cookie is on the way.
body.addEventListener("bye", async (event) => {
  if (JSON.parse(event.detail.data).reason !== "signed-out") return;
  await new Promise((resolve) => setTimeout(resolve, COOKIE_MS));
  const path = document.querySelector("[hx-get][hx-trigger^='counts']").getAttribute("hx-get");
  const answer = await fetch(path, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.status === 401) signedOut();
});
door.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" } });
  const refusal = door.querySelector(".err");
  refusal.lastChild.data = answer.status === 429 ? (await answer.json()).error : wrong;
  refusal.hidden = answer.ok;
  if (!answer.ok) return;
  const { user, token } = await answer.json();
  if (user !== body.dataset.user) return location.reload();
  for (const field of document.getElementsByName("csrfmiddlewaretoken")) field.value = token;
  body.setAttribute("hx-headers:inherited", JSON.stringify({ "x-csrftoken": token }));
  form.reset();
  door.close();
  htmx.trigger(body, "resync");
});
