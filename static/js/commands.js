// The agent's commands: a list that opens when the text begins with a slash (WAI-ARIA combobox).

const LIST = "command-options";
const byId = (id) => document.getElementById(id);
const field = () => byId("message-text");
const offered = () => [...document.querySelectorAll("#command-list > [data-typed]")];
const options = () => [...(byId(LIST)?.children ?? [])];
const active = () => byId(LIST)?.querySelector("[aria-selected=true]");

function matching(text) {
  if (!text.startsWith("/") || text.includes("\n")) return [];
  const begun = text.toLowerCase();
  return offered().filter(({ dataset: { typed } }) => typed !== text && typed.toLowerCase().startsWith(begun));
}

function optionFor(item, index) {
  const option = document.createElement("li");
  option.id = `command-${index}`;
  option.setAttribute("role", "option");
  option.dataset.typed = item.dataset.typed;
  option.append(...item.cloneNode(true).childNodes);
  return option;
}

function choose(option) {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  field().setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

const ROLES = { role: "combobox", "aria-expanded": "true", "aria-autocomplete": "list", "aria-controls": LIST };

function close() {
  byId(LIST)?.remove();
  for (const name of [...Object.keys(ROLES), "aria-activedescendant"]) field()?.removeAttribute(name);
}

function open(found) {
  close();
  const list = document.createElement("ul");
  list.id = LIST;
  list.className = "popup";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", byId("command-list").getAttribute("aria-label"));
  list.append(...found.map(optionFor));
  field().before(list);
  for (const [name, value] of Object.entries(ROLES)) field().setAttribute(name, value);
  choose(list.firstElementChild);
}

function look() {
  const found = document.activeElement === field() ? matching(field().value) : [];
  if (found.length) open(found);
  else close();
}

function accept(option) {
  field().value = option.dataset.typed;
  field().dispatchEvent(new Event("input", { bubbles: true }));
  close();
  field().focus();
}

function move(step) {
  const all = options();
  choose(all[(all.indexOf(active()) + step + all.length) % all.length]);
}

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Enter: () => accept(active()),
  Tab: () => accept(active()),
  Escape: close,
};

document.addEventListener("input", ({ target }) => {
  if (target.id === "message-text") look();
});

// Before anybody else hears of the key: Enter sends, and Escape leaves, only when this is closed.
document.addEventListener(
  "keydown",
  (event) => {
    const modified = event.shiftKey || event.altKey || event.ctrlKey || event.metaKey;
    if (event.target.id !== "message-text" || !byId(LIST) || event.isComposing || modified) return;
    if (!KEYS[event.key]) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    KEYS[event.key]();
  },
  { capture: true },
);

document.addEventListener("pointerdown", (event) => {
  const option = event.target.closest?.(`#${LIST} > [role=option]`);
  if (!option) return;
  event.preventDefault();
  accept(option);
});

document.addEventListener("focusout", ({ target }) => {
  if (target.id === "message-text") close();
});

// The button begins a command; beside a text it opens the plain list, to be read.
document.addEventListener("click", (event) => {
  if (!event.target.closest("#commands > summary") || field().value) return;
  event.preventDefault();
  field().focus();
  field().value = "/";
  field().dispatchEvent(new Event("input", { bubbles: true }));
});
