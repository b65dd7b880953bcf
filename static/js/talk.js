// What only the pages of channels need.
import "./chat.js";
import "./commands.js";
import "./composer.js";
import "./upload.js";
