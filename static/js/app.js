// The pages work without scripts; these modules make them quicker to use. See templates/app.html.
import "./card.js";
import "./drafts.js";
import "./draw.js";
import "./list.js";
import "./live.js";
import "./dialog.js";
import "./keys.js";
import "./palette.js";
import "./panes.js";
import "./status.js";
import "./time.js";

// The stream begins when all of them listen: what came earlier would be lost. htmx starts itself
// with a timeout of its own, set before this one.
setTimeout(() => htmx.trigger(document.body, "reconnect"));
