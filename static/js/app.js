// The pages work without scripts; these modules make them quicker to use. See templates/app.html.
import "./list.js";
import "./live.js";
import "./dialog.js";
import "./keys.js";
import "./palette.js";
