// Suggestions in every search box; the results page attaches its own, because there they go with the filters.
import { suggest } from "./suggestions.js";

for (const input of document.querySelectorAll("form:not([data-search-form]) [data-suggest]")) suggest(input);
