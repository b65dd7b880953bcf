// Triage: which row is open, and what happens after an answer.
import { markCurrent } from "./panes.js";

const detail = () => document.getElementById("detail");
const openReview = () => detail()?.dataset.review;
const rowOf = (id) => document.getElementById(`row-${id}`);

const markOpenRow = () => {
  markCurrent(document.getElementById("rows"), rowOf(openReview())?.querySelector(".row"));
};

// The second click of a double click lands where the next review has its buttons.
const SETTLING_MS = 500;
function settle() {
  document.body.dataset.settling = "";
  setTimeout(() => delete document.body.dataset.settling, SETTLING_MS);
}

// While another review is on its way, the buttons still belong to the one before it.
const opens = ({ target, request }) => request.method === "GET" && target?.id === "detail";
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (opens(ctx)) document.body.dataset.opening = "";
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (opens(ctx)) delete document.body.dataset.opening;
});

// The pressed button is gone, so focus goes to what took its place.
function focusCard() {
  const title = document.getElementById("card-title");
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
    document.getElementById("detail-title")?.focus();
  } else if (answered) {
    focusCard();
  }
  markOpenRow();
});
