// The open conversation: what is new appears where it belongs, and nothing moves under the reader.
import { opensElsewhere } from "./dialog.js";
import { markCurrent } from "./list.js";

const NEAR_THE_END = 40; // pixels
const PAUSE = 250; // milliseconds between two looks for new messages
const PAGE = 50;

const byId = (id) => document.getElementById(id);
const refresh = (id) => byId(id)?.dispatchEvent(new CustomEvent("refresh"));
const openChannel = () => byId("detail")?.dataset.channel;
const shown = () => [...document.querySelectorAll("#log-items > .msg")];
const idOf = (message) => message?.id.slice(2);
const isLatest = () => byId("log-items")?.hasAttribute("data-latest");
// The log is a reversed column: its end is where it begins, at 0.
const atEnd = () => Math.abs(byId("log")?.scrollTop ?? 0) < NEAR_THE_END;
const toEnd = () => byId("log")?.scrollTo({ top: 0 });

function load(query, target, swap, part) {
  const path = byId("log-items").getAttribute("hx-get");
  const headers = { "HX-Target": `div#${part}` };
  return htmx.ajax("GET", path + query, { source: target, target, swap, headers, push: "false" });
}

const loadLatest = () => load("", "#log-items", "outerMorph", "log-items");

// One look after the other, so that nothing is fetched twice.
let looking = false;
let again = false;

async function fetchNew() {
  again = true;
  if (looking) return;
  looking = true;
  try {
    while (again && byId("log-items")) {
      again = false;
      const before = shown();
      const newest = idOf(before.at(-1));
      if (newest) await load(`after=${newest}`, "#log-items", "beforeend", "log-tail");
      else await loadLatest();
      again ||= shown().length - before.length >= PAGE;
      await htmx.timeout(PAUSE);
    }
  } finally {
    looking = false;
  }
}

function countUnseen() {
  const newest = idOf(shown().at(-1));
  if (newest) load(`after=${newest}`, "#unseen", "innerHTML", "unseen");
}

function showUnseen() {
  byId("unseen").replaceChildren();
  toEnd();
  fetchNew();
}

// A message whose transaction took longer than that of a later one.
async function insert(id) {
  const next = shown().find((message) => idOf(message) > id);
  const path = next.getAttribute("hx-get").replace(idOf(next), id).replace("first", "");
  await htmx.ajax("GET", path, { source: next, target: next, swap: "beforebegin" });
  refresh(next.id);
}

function created(id, own) {
  if (byId(`m-${id}`)) return refresh(`m-${id}`);
  if (own) {
    byId("unseen").replaceChildren();
    toEnd();
  }
  if (!isLatest()) return own ? loadLatest() : undefined;
  if (id < idOf(shown().at(-1))) return id > idOf(shown()[0]) ? insert(id) : undefined;
  return own || atEnd() ? fetchNew() : countUnseen();
}

function changed(id) {
  if (byId(`m-${id}`)) refresh(`m-${id}`);
  // An older one is further up, or in another thread.
  else if (atEnd() && !(id < idOf(shown().at(-1)))) created(id, false);
}

function deleted(id) {
  const message = byId(`m-${id}`);
  const next = message?.nextElementSibling;
  message?.remove();
  if (next?.matches(".msg")) refresh(next.id); // it may need the header now
  if (byId("unseen")?.firstElementChild) countUnseen();
}

function listen(name, handle) {
  document.body.addEventListener(name, ({ detail }) => {
    const { id, channel } = JSON.parse(detail.data);
    if (byId("channel-list")) refresh(byId(`channel-${channel}`) ? `channel-${channel}` : "channel-list");
    if (byId("log-items") && channel === openChannel()) handle(id, detail.own);
  });
}

listen("message-created", created);
listen("review-created", (id) => {
  created(id, false);
  refresh("pending");
});
listen("message-changed", changed);
listen("review-changed", (id) => {
  changed(id);
  refresh("pending");
});
listen("delivery-changed", changed);
listen("message-deleted", (id) => {
  deleted(id);
  refresh("pending");
});
listen("channel-changed", () => {
  for (const id of ["head", "offered"]) refresh(id);
});

// What cannot be found any more is gone, however we missed it.
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  if (ctx.response.status !== 404 || ctx.request.method !== "GET") return;
  const { sourceElement } = ctx;
  if (sourceElement.matches("#log-items > .msg")) deleted(idOf(sourceElement));
  if (sourceElement.matches("#channel-rows > li")) sourceElement.remove();
});

document.body.addEventListener("resync", () => {
  for (const id of ["channel-list", "head", "pending"]) refresh(id);
  if (!byId("log-items")) return;
  if (isLatest() && atEnd()) loadLatest();
  else countUnseen();
});

document.addEventListener(
  "scroll",
  ({ target }) => {
    if (target.id === "log" && atEnd() && byId("unseen").firstElementChild) showUnseen();
  },
  { capture: true, passive: true },
);

function mark(message) {
  for (const other of document.querySelectorAll(".msg.marked")) other.classList.remove("marked");
  message.classList.add("marked");
  message.scrollIntoView({ block: "center" });
}

document.addEventListener("click", (event) => {
  if (opensElsewhere(event)) return;
  const jump = byId(`m-${event.target.closest("a[data-jump]")?.dataset.jump}`);
  const unseen = event.target.closest("a[data-unseen]");
  if (!jump && !unseen) return;
  event.preventDefault();
  if (jump) mark(jump);
  else showUnseen();
});

// Steps are open while a reply is being written, unless somebody chose otherwise.
const chosen = new Map();

document.addEventListener("click", ({ target }) => {
  const steps = target.closest("summary")?.parentElement;
  if (steps?.matches(".steps-of")) chosen.set(steps.id, !steps.open);
});

function keepSteps() {
  for (const [id, open] of chosen) if (byId(id)) byId(id).open = open;
}

// The same day above and below the place where earlier messages were put in.
function joinDays() {
  let last = "";
  for (const day of document.querySelectorAll("#log-items > .day")) {
    if (day.textContent === last) day.remove();
    last = day.textContent;
  }
}

// Reading aloud is off until somebody asks for it. What is still being written is silent (its
// own aria-live says so); put in again when it is whole, it is spoken once.
const ALOUD = "read-aloud";
const isAloud = () => localStorage.getItem(ALOUD) === "on";
let writing = new Set();

function speak() {
  byId("log")?.setAttribute("aria-live", isAloud() ? "polite" : "off");
  const button = byId("read-aloud");
  if (button) {
    button.hidden = false;
    button.setAttribute("aria-pressed", String(isAloud()));
  }
  for (const id of writing) {
    const message = byId(id);
    if (!message || message.hasAttribute("data-streaming")) continue;
    if (isAloud() && !message.contains(document.activeElement)) message.replaceWith(message);
  }
  writing = new Set([...document.querySelectorAll(".msg[data-streaming]")].map(({ id }) => id));
}

document.addEventListener("click", ({ target }) => {
  if (!target.closest("#read-aloud")) return;
  localStorage.setItem(ALOUD, isAloud() ? "off" : "on");
  speak();
});

let opened = null;

function settle() {
  const channel = openChannel();
  if (byId("channel-list")) markCurrent(byId("channel-list"), byId(`channel-${channel}`)?.querySelector(".row"));
  if (!channel) return;
  joinDays();
  keepSteps();
  speak();
  if (atEnd() && byId("unseen")?.firstElementChild) showUnseen();
  if (opened === byId("detail")) return;
  const first = opened === null;
  opened = byId("detail");
  document.querySelector(".msg.marked")?.scrollIntoView({ block: "center" });
  // What was pressed is gone (the way to a thread), or on a phone out of sight.
  const lost = document.activeElement === document.body || !byId("channel-list")?.checkVisibility();
  if (!first && lost) byId("channel-title").focus();
}

document.addEventListener("htmx:after:swap", settle);
settle();
