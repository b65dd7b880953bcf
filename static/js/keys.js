// Keys click or focus the element whose `data-key` names their action; see web/shortcuts.py.
// None answers a review: it moves focus to the answer, and Enter sends that.
import { show } from "./dialog.js";
import { say } from "./status.js";

export const keys = JSON.parse(document.body.dataset.keys || "{}");
export const mac = /Mac|iP/.test(navigator.platform);
const TYPING = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])";
const SETTLE_MS = 150;
const SEQUENCE_MS = 1000;

const get = (id) => document.getElementById(id);
const every = (selector) => [...document.querySelectorAll(selector)];
const title = () => get("detail-title")?.focus();
const answers = () => every("#card [data-key=answer]:enabled");

// ---- What is printed on the keys, and said about them ----

const CAPS = { Enter: "↵", Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓" };
const cap = (key) => CAPS[key] ?? (key[1] ? key : key.toUpperCase());
const printed = (key) => key.replace("mod+", mac ? "⌘ " : "Ctrl ").split(" ").map(cap).join(" ");

function announced(key) {
  if (key.includes(" ")) return ""; // ARIA cannot say one after the other
  const named = key.replace("mod", mac ? "Meta" : "Control");
  return key === "+" ? "Plus" : named.replace(/(^|\+).$/, (last) => last.toUpperCase());
}

function keyOf(element, action) {
  const number = answers().indexOf(element) + 1;
  const key = keys[action] ?? "";
  return action !== "answer" || !key ? key : number > 0 && number < 10 ? `${number}` : "";
}

function decorate() {
  for (const element of every("[data-key]")) {
    const said = announced(keyOf(element, element.dataset.key));
    if (said && element.ariaKeyShortcuts !== said) element.ariaKeyShortcuts = said;
  }
  for (const hint of every("kbd:not(td kbd)")) {
    const owner = hint.closest("[data-key]") ?? hint.parentElement.querySelector("[data-key]");
    const text = printed(keyOf(owner, hint.dataset.of ?? owner?.dataset.key));
    hint.ariaHidden = "true";
    if (hint.textContent !== text) hint.textContent = text;
  }
  if (mac) for (const key of every("kbd[data-mod]")) key.textContent = "⌘";
}

decorate();
const watched = { childList: true, subtree: true, attributeFilter: ["aria-keyshortcuts"] };
new MutationObserver(decorate).observe(document.body, watched);

// ---- What they do ----

const openRow = () => document.querySelector(".list .row[aria-current]");
const here = () => document.activeElement.closest(".list .row") ?? openRow();

// Beside what has focus, else in the open review, else in the frame; not in other rows.
function find(action) {
  const usable = every(`[data-key="${action}"], [data-action="${action}"]`).filter(
    (each) => !each.disabled && (each.checkVisibility() || action.startsWith("go-")),
  );
  const near = document.activeElement.closest("li, .msg") ?? openRow()?.closest("li");
  const inside = (part) => usable.find((each) => part?.contains(each));
  return inside(near) ?? inside(get("detail")) ?? usable.find((each) => !each.closest(".list li"));
}

function press(action) {
  let element = find(action);
  if (!element) return false;
  if (element.matches("summary")) {
    element.parentElement.open = true;
    element = element.parentElement.querySelector(TYPING) ?? element;
  }
  if (element.matches(TYPING) || action === "dismiss") element.focus();
  else element.click();
  if (action === "search") element.select?.();
  return true;
}

// Focus moves at once; what is read follows at once, or when a held key rests.
let resting, moved = 0;
function move(by) {
  const all = every(".list .row");
  const row = all[all.indexOf(here()) + by];
  if (!row) return false;
  row.focus();
  if (!row.hasAttribute("hx-get")) return true;
  openRow()?.removeAttribute("aria-current");
  row.ariaCurrent = "true";
  row.scrollIntoView({ block: "nearest" });
  clearTimeout(resting);
  const held = performance.now() - moved < SETTLE_MS;
  moved = performance.now();
  if (held) resting = setTimeout(() => row.isConnected && row.click(), SETTLE_MS);
  else row.click();
  return true;
}

let goingIn = false;
function open() {
  const row = here();
  if (!row) return false;
  goingIn = row.hasAttribute("hx-get");
  if (goingIn && row.closest("li").id === `row-${get("detail")?.dataset.review}`) title();
  else row.click();
  return true;
}

function answer(_action, event) {
  const choice = answers()[event.key - 1];
  choice?.focus();
  if (choice?.matches("[type=radio], [type=checkbox]")) choice.click();
  return choice;
}

function send(_action, { target }) {
  const card = target.closest("form#card");
  const button = target.closest("button:enabled") ?? card?.querySelector("[data-key=send]:enabled");
  if (card && button) card.requestSubmit(button);
  else if (card) say(get("toasts").dataset.choose);
  return card;
}

function back(_action, { target }) {
  if (document.querySelector(":popover-open")) return false;
  if (target.matches(TYPING)) target.blur();
  else if (!press("back")) here()?.focus();
  return true;
}

// The file or the revision beside the one that is shown.
function neighbour(action) {
  const [way, what] = action.split("-");
  const all = every({ file: "#detail .file-tabs a", revision: "#detail .steps a" }[what] ?? "none");
  const at = all.findIndex((each) => each.matches("[aria-current], [aria-selected=true]"));
  const next = at < 0 ? null : all[at + (way === "next" ? 1 : -1)];
  next?.click();
  return next;
}

const DIALOGS = { search: "palette", palette: "palette", shortcuts: "sheet" };
const other = (action) => press(action) || show(DIALOGS[action]) || neighbour(action);

const onRow = (act) => (_action, { target }) => target.matches(".list .row") && act(target);
const ACTIONS = {
  next: () => move(1),
  previous: () => move(-1),
  "list-next": onRow(() => move(1)),
  "list-previous": onRow(() => move(-1)),
  open,
  "list-open": onRow((row) => row.hasAttribute("hx-get") && open()),
  answer,
  send,
  back,
};

// ---- Which one is meant ----

const byKey = new Map(Object.entries(keys).map(([action, key]) => [key, action]));

// As web/shortcuts.py writes a key; empty with modifiers that none of them names.
function pressed(event) {
  const graph = event.getModifierState("AltGraph");
  const mod = mac ? event.metaKey : event.ctrlKey && !graph;
  const other = (mac ? event.ctrlKey : event.metaKey) || (event.altKey && !graph);
  const key = event.key[1] ? event.key : event.key.toLowerCase();
  if (other || (event.shiftKey && (key[1] || key !== key.toUpperCase()))) return "";
  return mod ? `mod+${key}` : key;
}

let first = "", until = 0;
function actionOf(key, now) {
  const begun = now < until;
  until = 0;
  if (begun) return byKey.get(`${first} ${key}`);
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
  // What a closed dialog had in focus keeps it for one more frame.
  const typing = event.target.matches(TYPING) && event.target.checkVisibility();
  if (!key || (typing && key !== keys.back && key !== keys.send)) return;
  const action = actionOf(key, event.timeStamp);
  if (!action || (event.repeat && !/^(list-)?(next|previous)$/.test(action))) return;
  if ((ACTIONS[action] ?? other)(action, event)) event.preventDefault();
});

// Who opened a review to read it, or replaced what had focus, goes on from its title.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const active = document.activeElement;
  const lost = active === document.body || !active.checkVisibility();
  if (ctx.target?.id === "list" && lost) every(".list .row")[0]?.focus();
  if (ctx.target?.id !== "detail") return;
  if (lost || (goingIn && active.matches(".row"))) title();
  goingIn = false;
});
