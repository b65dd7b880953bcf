// Live updates: the stream says which thing changed, and whoever shows it fetches it again.

const { body } = document;
const detail = () => document.getElementById("detail")?.dataset ?? {};
const refreshed = (element) => element?.dispatchEvent(new CustomEvent("refresh"));
const refresh = (id) => refreshed(document.getElementById(id));
const listen = (name, handle) => body.addEventListener(name, (event) => handle(JSON.parse(event.detail.data)));

function changed({ id }) {
  refresh(`row-${id}`);
  if (detail().review === id) refresh("card-area");
}

listen("review-changed", changed);
listen("delivery-changed", changed);
listen("read-changed", ({ id }) => refresh(`row-${id}`));
// A new review may be the revision that answers the open one.
listen("review-created", ({ channel }) => {
  if (detail().review && detail().channel === channel) refresh("card-area");
});

// Something may have been missed: everything that is shown is looked at again.
body.addEventListener("resync", () => {
  document.querySelectorAll("#rows > .group > ul > li").forEach(refreshed);
  if (detail().review) refresh("card-area");
  htmx.trigger(body, "counts");
});

// The count in the title follows the one in the frame.
document.addEventListener("htmx:after:swap", () => {
  const count = document.querySelector(".n-inbox .count")?.firstChild?.textContent.trim();
  const bare = document.title.replace(/^\(\d+\) /, "");
  document.title = count ? `(${count}) ${bare}` : bare;
});
