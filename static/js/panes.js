// A list and what is open beside it: the way back, and history that leaves the list alone.

const LISTS = { "/inbox/": "#list", "/channels/": "#channel-list" };

export function markCurrent(rows, current) {
  if (!rows) return;
  for (const row of rows.querySelectorAll(".row[aria-current]")) {
    if (row !== current) row.removeAttribute("aria-current");
  }
  if (!current || current.hasAttribute("aria-current")) return;
  current.setAttribute("aria-current", "true");
  // What a list shows beside itself is nobody's choice: it does not move the list.
  if (document.querySelector("#detail[data-open]")) current.scrollIntoView({ block: "nearest" });
}

// Back goes back in history when this page opened the detail, so the list keeps its place.
document.addEventListener("click", (event) => {
  const back = event.target.closest("a[data-back]");
  if (!back || event.metaKey || event.ctrlKey || event.shiftKey || !history.state?.htmx) return;
  if (!document.referrer && history.length < 2) return;
  event.preventDefault();
  history.back();
});

// Going back and forth in a section only changes what is open; list and scroll position stay.
document.addEventListener("htmx:before:history:restore", (event) => {
  const { path } = event.detail;
  const section = Object.keys(LISTS).find((prefix) => path.startsWith(prefix));
  if (!section || !document.querySelector(LISTS[section])) return;
  event.preventDefault();
  const headers = { "HX-Target": "article#detail" };
  htmx.ajax("GET", path, { headers, target: "#detail", swap: "outerHTML", push: "false" });
});
