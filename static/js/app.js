// The pages work without scripts; these modules make them quicker to use. See templates/app.html.
import "./panes.js";
import "./list.js";
import "./live.js";
import "./drafts.js";
