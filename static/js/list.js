// Triage: which row is open, and what happens after an answer.
import { markCurrent } from "./panes.js";

const detail = () => document.getElementById("detail");
const openReview = () => detail()?.dataset.review;
const rowOf = (id) => document.getElementById(`row-${id}`);

const markOpenRow = () => {
  markCurrent(document.getElementById("rows"), rowOf(openReview())?.querySelector(".row"));
};

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
    dropRow(request.action);
    document.getElementById("detail-title")?.focus();
  } else if (answered) {
    document.querySelector("#card [role=alert]")?.focus();
  }
  markOpenRow();
});
