// The keyboard: a key clicks or focuses the element whose `data-key` names its action.
// No key answers a review: it moves focus to the answer, and Enter sends that.

import { show } from "./dialog.js";
import { answers, keys, mac } from "./hints.js";

const TYPING = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])";
const FOCUS_ONLY = ["answer", "dismiss"];
const HELD = ["next", "previous", "list-next", "list-previous"]; // may repeat
const SEQUENCE_MS = 1000;
const SETTLE_MS = 150;

const byKey = new Map(Object.entries(keys).map(([action, key]) => [key, action]));
const detail = () => document.getElementById("detail");

// The key of an event as web/shortcuts.py writes it; empty with modifiers that no key names.
function pressed(event) {
  const graph = event.getModifierState("AltGraph");
  const mod = mac ? event.metaKey : event.ctrlKey && !graph;
  const other = (mac ? event.ctrlKey : event.metaKey) || (event.altKey && !graph);
  const key = event.key.length > 1 ? event.key : event.key.toLowerCase();
  const shifts = event.shiftKey && (key.length > 1 || key !== key.toUpperCase());
  return other || shifts ? "" : mod ? `mod+${key}` : key;
}

const rows = () => [...document.querySelectorAll(".list .row")];
const openRow = () => document.querySelector(".list .row[aria-current]");
const here = () => document.activeElement.closest(".list .row") ?? openRow();

function find(action) {
  const named = document.querySelectorAll(`[data-key="${action}"], [data-action="${action}"]`);
  const usable = [...named].filter((each) => !each.disabled && (each.checkVisibility() || action.startsWith("go-")));
  const near = document.activeElement.closest("li, .msg") ?? openRow()?.closest("li");
  const inside = (part) => usable.find((each) => part?.contains(each));
  return inside(near) ?? inside(detail()) ?? usable.find((each) => !each.closest(".list li"));
}

function press(action) {
  const element = find(action);
  if (!element) return false;
  if (element.matches("summary")) element.parentElement.open = true;
  const field = element.matches("summary") ? element.parentElement.querySelector(TYPING) : element;
  if (!field.matches(TYPING) && !FOCUS_ONLY.includes(action)) field.click();
  else field.focus();
  if (action === "search") field.select?.();
  return true;
}

// Focus moves at once. What is read follows at once, too, and while a key is held when it rests.
let resting, lastMove = 0;
function move(by) {
  const all = rows();
  const row = all[all.indexOf(here()) + by];
  if (!row) return false;
  row.focus();
  if (!row.hasAttribute("hx-get")) return true;
  openRow()?.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  row.scrollIntoView({ block: "nearest" });
  clearTimeout(resting);
  const held = performance.now() - lastMove < SETTLE_MS;
  lastMove = performance.now();
  if (held) resting = setTimeout(() => row.isConnected && row.click(), SETTLE_MS);
  else row.click();
  return true;
}

const inList = (act) => (event) => event.target.matches(".list .row") && act(event);
const title = () => document.getElementById("detail-title");

let goingIn = false;
function open() {
  const row = here();
  if (!row) return false;
  const id = row.closest("li")?.id;
  goingIn = row.hasAttribute("hx-get");
  if (goingIn && id === `row-${detail()?.dataset.review}`) title()?.focus();
  else row.click();
  return true;
}

function answer(event) {
  const choice = answers()[event.key - 1];
  choice?.focus();
  if (choice?.matches("[type=radio], [type=checkbox]")) choice.click();
  return Boolean(choice);
}

function send(event) {
  const card = event.target.closest("form#card");
  if (!card) return false;
  const focused = event.target.closest("button:enabled");
  const button = focused ?? card.querySelector("[data-key=send]:enabled");
  if (button) card.requestSubmit(button);
  else say(document.getElementById("toasts").dataset.choose);
  return true;
}

function say(text) {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  document.getElementById("toasts").replaceChildren(toast);
}

function back(event) {
  if (document.querySelector(":popover-open")) return false;
  if (event.target.matches(TYPING)) event.target.blur();
  else if (!press("back")) here()?.focus();
  return true;
}

// The neighbour of the one that is shown: of the file tabs, of the revisions.
const step = (action, selector, by) => () => {
  if (press(action)) return true;
  const all = [...document.querySelectorAll(`#detail ${selector}`)];
  const at = all.findIndex((each) => each.matches("[aria-current], [aria-selected=true]"));
  const next = at < 0 ? undefined : all[at + by];
  next?.click();
  return Boolean(next);
};

const ACTIONS = {
  next: () => move(1),
  previous: () => move(-1),
  "list-next": inList(() => move(1)),
  "list-previous": inList(() => move(-1)),
  open,
  "list-open": inList((event) => event.target.hasAttribute("hx-get") && open()),
  answer,
  send,
  back,
  search: () => press("search") || show("palette"),
  palette: () => press("palette") || show("palette"),
  shortcuts: () => press("shortcuts") || show("sheet"),
  "previous-file": step("previous-file", ".file-tabs a", -1),
  "next-file": step("next-file", ".file-tabs a", 1),
  "previous-revision": step("previous-revision", ".steps a", -1),
  "next-revision": step("next-revision", ".steps a", 1),
};

// The action of a key, alone or after the first key of two.
let first = "", until = 0;
function actionOf(key, now) {
  const begun = now < until && first;
  until = 0;
  if (begun) return byKey.get(`${begun} ${key}`);
  if (keys.answer && /^[1-9]$/.test(key)) return "answer";
  if ([...byKey.keys()].some((each) => each.startsWith(`${key} `))) {
    first = key;
    until = now + SEQUENCE_MS;
  }
  return byKey.get(key);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
  if (!event.key || document.querySelector("dialog[open]")) return;
  const key = pressed(event);
  if (!key) return;
  // What a closed dialog had in focus keeps it for one more frame.
  const typing = event.target.matches(TYPING) && event.target.checkVisibility();
  if (typing && key !== keys.back && key !== keys.send) return;
  const action = actionOf(key, event.timeStamp);
  if (!action || (event.repeat && !HELD.includes(action))) return;
  if ((ACTIONS[action] ?? (() => press(action)))(event)) event.preventDefault();
});

// Who opened a review to read it, or replaced what had focus, goes on from its title.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const source = ctx.sourceElement;
  const lost = document.activeElement === document.body || !document.activeElement.checkVisibility();
  if (ctx.target?.id === "list" && lost) rows()[0]?.focus();
  if (ctx.target?.id !== "detail") return;
  if (lost || (goingIn && source?.matches?.(".row"))) title()?.focus();
  goingIn = false;
});
