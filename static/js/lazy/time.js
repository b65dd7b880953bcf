// Deadlines count down on the server's clock, and the buttons close two seconds before the end.

import { say, words } from "../status.js";

const ahead = Date.parse(document.body.dataset.now) - Date.now();
const inUnits = (unit) => new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit });
const [minutes, seconds] = [inUnits("minute"), inUnits("second")];
const MINUTE = 60_000, HOUR = 60 * MINUTE, WARN = 5 * MINUTE, CLOSE = 2_000;
let warned = "";

function show(chip, left) {
  const text = left < MINUTE ? seconds.format(Math.floor(left / 1000)) : minutes.format(Math.floor(left / MINUTE));
  const shown = chip.querySelector("[data-left]");
  if (shown && shown.textContent !== text) shown.textContent = text;
}

function watchCard(card, left) {
  const fuse = card.querySelector(".fuse");
  if (fuse) fuse.value = Math.max(0, left / 1000);
  if (left < CLOSE) for (const button of card.querySelectorAll("button")) button.disabled = true;
  if (left < 0) htmx.trigger("#card-area", "refresh");
  const id = card.dataset.review;
  if (left < WARN && left > 0 && warned !== id) {
    warned = id;
    say(words.fiveMinutes);
  }
}

function tick() {
  const now = Date.now() + ahead;
  for (const chip of document.querySelectorAll("[data-due]")) {
    const left = Date.parse(chip.dataset.due) - now;
    if (left < HOUR && left > 0) show(chip, left);
    if (chip.id === "card") watchCard(chip, left);
  }
  setTimeout(tick, 1000);
}
tick();
