// A list and what is open beside it: which row that is, the way back, and what follows an answer.
import { opensElsewhere } from "./dialog.js";

const get = (id) => document.getElementById(id);
const rowOf = (id) => get(`row-${id}`);

// ---- Which row is open ----

export function markCurrent(rows, current) {
  const isNew = current && !current.ariaCurrent;
  for (const row of rows?.querySelectorAll(".row[aria-current]") ?? []) row.ariaCurrent = null;
  if (current) current.ariaCurrent = "true";
  // What a list shows beside itself is nobody's choice: it does not move the list.
  if (isNew && document.querySelector("#detail[data-open]")) current.scrollIntoView({ block: "nearest" });
}

// ---- Back ----

const LISTS = { "/inbox/": "list", "/channels/": "channel-list" };

// Back goes back in history when this page opened the detail, so the list keeps its place.
document.addEventListener("click", (event) => {
  if (!event.target.closest("a[data-back]") || opensElsewhere(event) || !history.state?.htmx) return;
  if (!document.referrer && history.length < 2) return;
  event.preventDefault();
  history.back();
});

// Going back and forth in a section only changes what is open; list and scroll position stay.
document.addEventListener("htmx:before:history:restore", (event) => {
  const { path } = event.detail;
  const section = Object.keys(LISTS).find((prefix) => path.startsWith(prefix));
  if (!get(LISTS[section])) return;
  event.preventDefault();
  const headers = { "HX-Target": "article#detail" };
  htmx.ajax("GET", path, { headers, target: "#detail", swap: "outerHTML", push: "false" });
});

// ---- Answers ----

// The second click of a double click lands where the next review has its buttons.
const SETTLING_MS = 500;
const { dataset } = document.body;
function settle() {
  dataset.settling = "";
  setTimeout(() => delete dataset.settling, SETTLING_MS);
}

// While another review is on its way, also after an answer, the buttons belong to the one before.
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.target?.id === "detail") ctx.opening = dataset.opening = "";
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if ("opening" in ctx) delete dataset.opening;
});

// The pressed button is gone, so focus goes to what took its place.
function focusCard() {
  const title = get("card-title");
  if (title) title.tabIndex = -1;
  (document.querySelector("#card [role=alert]") ?? title)?.focus();
}

// An answered review leaves the list at once: the person who answered it expects that.
function dropRow(action) {
  const id = new URL(action, location.href).pathname.split("/").at(-3);
  rowOf(id)?.remove();
  if (!document.querySelector("#rows .row")) htmx.trigger("#list", "refresh");
  htmx.trigger(document.body, "counts");
}

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const { request, response } = ctx;
  const answered = request?.method === "POST" && /\/respond\/(\?|$)/.test(request.action);
  if (answered && response?.raw.redirected) {
    settle();
    dropRow(request.action);
    get("detail-title")?.focus();
  } else if (answered) {
    focusCard();
  }
  markCurrent(get("rows"), rowOf(get("detail")?.dataset.review)?.querySelector(".row"));
});
