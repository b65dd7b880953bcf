// Live updates: the stream says which thing changed, and whoever shows it fetches it again.

const idOf = (event) => JSON.parse(event.detail.data).id;
const refresh = (id) => document.getElementById(id)?.dispatchEvent(new CustomEvent("refresh"));

function reviewChanged(event) {
  const id = idOf(event);
  refresh(`row-${id}`);
  if (document.getElementById("detail")?.dataset.review === id) refresh("card-area");
}

document.body.addEventListener("review-changed", reviewChanged);
document.body.addEventListener("delivery-changed", reviewChanged);

// The count in the title follows the one in the frame.
document.addEventListener("htmx:after:swap", () => {
  const count = document.querySelector(".n-inbox .count")?.firstChild?.textContent.trim();
  const bare = document.title.replace(/^\(\d+\) /, "");
  document.title = count ? `(${count}) ${bare}` : bare;
});
