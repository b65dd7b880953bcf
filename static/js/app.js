// The pages work without scripts; these modules make them quicker to use.
import "./keys.js";
import "./list.js";
import "./live.js";
import "./status.js";

// What is in lazy/ comes when the page is there, or when it is needed.
addEventListener("load", () => {
  import("./lazy/card.js");
  import("./lazy/drafts.js");
  import("./lazy/palette.js");
  import("./lazy/time.js");
});
addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-do]");
  if (button) (await import("./lazy/card.js")).help(button);
});
if (document.querySelector("[data-push]")) import("./lazy/push.js");
navigator.serviceWorker?.register("/sw.js").catch(() => {}); // only notifications need it

// htmx passes over the page (`hx-ignore`) until all of them listen: what came earlier would be lost.
addEventListener("DOMContentLoaded", () => {
  document.body.removeAttribute("hx-ignore");
  htmx.process(document.body);
  htmx.trigger(document.body, "reconnect");
});
