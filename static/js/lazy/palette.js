// The command palette: a combobox whose options the server finds while one types.

import { keys, mac } from "../keys.js";

const dialog = document.getElementById("palette");
const field = document.getElementById("palette-text");
const results = () => document.getElementById("palette-results");
const options = () => [...results().querySelectorAll("[role=option]")];
const chosen = () => options().find((option) => option.ariaSelected === "true");
let running = false; // Enter came before the options for what is typed

function choose(option) {
  for (const each of options()) each.ariaSelected = String(each === option);
  field.setAttribute("aria-activedescendant", option?.id ?? "");
  option?.scrollIntoView({ block: "nearest" });
}

function run() {
  running = results().dataset.text !== field.value.trim();
  if (!running) chosen()?.click();
}

function onKey(event) {
  if (event.isComposing) return;
  const all = options();
  const at = all.indexOf(chosen());
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  const isPaletteKey = `mod+${event.key.toLowerCase()}` === keys.palette;
  if (to !== undefined) choose(all.at(to % all.length));
  else if (event.key === "Enter" && !event.metaKey && !event.ctrlKey) run();
  else if (isPaletteKey && (mac ? event.metaKey : event.ctrlKey)) dialog.close();
  else return;
  event.preventDefault();
}

field?.addEventListener("keydown", onKey);
dialog?.addEventListener("shown", () => field.select());
dialog?.addEventListener("htmx:after:swap", () => {
  choose(options()[0]);
  if (running) run();
});
