// Which key does what for this person, and what is printed on it. See web/shortcuts.py.

export const keys = JSON.parse(document.body.dataset.keys || "{}");
export const mac = /Mac|iP(hone|ad)/.test(navigator.platform);

const CAPS = { Enter: "↵", Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓" };
const cap = (key) => CAPS[key] ?? (key.toUpperCase().length > 1 ? key : key.toUpperCase());
const printed = (key) =>
  key.startsWith("mod+") ? (mac ? "⌘" : "Ctrl ") + cap(key.slice(4)) : key.split(" ").map(cap).join(" ");

// ARIA has no way to write keys that are pressed one after the other.
function announced(key) {
  if (key.includes(" ")) return "";
  const [last, mod] = key.split(/(?<=.)\+(?=.)/).reverse();
  const named = last === "+" ? "Plus" : last.length > 1 ? last : last.toUpperCase();
  return mod ? `${mac ? "Meta" : "Control"}+${named}` : named;
}

export const answers = () => [...document.querySelectorAll("#card [data-key=answer]:enabled")];

function keyOf(element, action) {
  if (!keys[action] || action !== "answer") return keys[action] ?? "";
  const number = answers().indexOf(element) + 1;
  return number > 0 && number < 10 ? String(number) : "";
}

function set(element, name, value) {
  if (value && element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function decorate() {
  for (const element of document.querySelectorAll("[data-key]")) {
    set(element, "aria-keyshortcuts", announced(keyOf(element, element.dataset.key)));
  }
  for (const hint of document.querySelectorAll("kbd:not(td kbd)")) {
    const owner = hint.closest("[data-key]") ?? hint.parentElement.querySelector("[data-key]");
    const text = printed(keyOf(owner, hint.dataset.of ?? owner?.dataset.key));
    set(hint, "aria-hidden", "true");
    if (hint.textContent !== text) hint.textContent = text;
  }
  if (mac) for (const key of document.querySelectorAll("kbd[data-mod]")) key.textContent = "⌘";
}

decorate();
const watched = { childList: true, subtree: true, attributeFilter: ["aria-keyshortcuts"] };
new MutationObserver(decorate).observe(document.body, watched);
