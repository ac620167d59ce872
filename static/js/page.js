// What every page does with scripts on: menus that close, "/" for the search, the colour switch without a reload, focus on an error summary, suggestions while typing.
import "./dropdown.js";
import "./theme.js";
import "./search-key.js";
import "./error-focus.js";
import "./search-box.js";
