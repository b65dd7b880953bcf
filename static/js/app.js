// The pages work without scripts; these modules make them quicker to use. See templates/app.html.
import "./keys.js";
import "./list.js";
import "./live.js";
import "./status.js";

// What is in lazy/ comes when it is needed: these when the page is there, before anybody waits.
addEventListener("load", () => {
  import("./lazy/card.js");
  import("./lazy/drafts.js");
  import("./lazy/palette.js");
  import("./lazy/time.js");
});
if (document.querySelector("[data-push]")) import("./lazy/push.js");
navigator.serviceWorker?.register("/sw.js").catch(() => {}); // only notifications need it

// htmx passes over the page (`hx-ignore`) until all of them listen: what came earlier would be lost.
addEventListener("DOMContentLoaded", () => {
  document.body.removeAttribute("hx-ignore");
  htmx.process(document.body);
  htmx.trigger(document.body, "reconnect");
});
