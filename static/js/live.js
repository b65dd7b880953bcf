// Live updates: the stream says which thing changed, and whoever shows it fetches it again.

const idOf = (event) => JSON.parse(event.detail.data).id;
const refresh = (id) => document.getElementById(id)?.dispatchEvent(new CustomEvent("refresh"));

function reviewChanged(event) {
  const id = idOf(event);
  refresh(`row-${id}`);
  if (document.getElementById("detail")?.dataset.review === id) refresh("card-area");
}

// A new review may be the revision that answers the open one.
function reviewCreated(event) {
  const { review, channel } = document.getElementById("detail")?.dataset ?? {};
  if (review && JSON.parse(event.detail.data).channel === channel) refresh("card-area");
}

document.body.addEventListener("review-created", reviewCreated);
document.body.addEventListener("review-changed", reviewChanged);
document.body.addEventListener("read-changed", (event) => refresh(`row-${idOf(event)}`));
// Something may have been missed: everything that is shown is looked at again.
document.body.addEventListener("resync", () => {
  for (const shown of document.querySelectorAll("#rows > .group > ul > li")) shown.dispatchEvent(new CustomEvent("refresh"));
  if (document.getElementById("detail")?.dataset.review) refresh("card-area");
  htmx.trigger(document.body, "counts");
});
document.body.addEventListener("delivery-changed", reviewChanged);

// The count in the title follows the one in the frame.
document.addEventListener("htmx:after:swap", () => {
  const count = document.querySelector(".n-inbox .count")?.firstChild?.textContent.trim();
  const bare = document.title.replace(/^\(\d+\) /, "");
  document.title = count ? `(${count}) ${bare}` : bare;
});
