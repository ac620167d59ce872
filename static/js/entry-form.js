// The entry form with scripts on: names are suggested while typing, and leaving with unsaved words is asked about.
// Without scripts the server resolves names when the form is sent; rows are added and removed by its buttons either way.

const PAUSE = 200; // milliseconds without a key before asking
const SHORTEST = 2;

const form = document.querySelector("[data-entry-form]");

function fill(list, options) {
  list.replaceChildren(
    ...options.map((option) => {
      const element = document.createElement("option");
      element.value = option.label;
      return element;
    }),
  );
}

let waiting;
let asked;

form?.addEventListener("input", (event) => {
  const input = event.target;
  if (!input.dataset.suggest || !input.list || input.value.trim().length < SHORTEST) return;
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    asked?.abort();
    asked = new AbortController();
    const address = new URL(input.dataset.suggest, location.href);
    address.searchParams.set("q", input.value);
    try {
      const answer = await fetch(address, { signal: asked.signal, headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const found = await answer.json();
      fill(input.list, found.places ?? found.sites ?? []);
    } catch {
      // No suggestions are no harm: the name is resolved on the server when the form is sent.
    }
  }, PAUSE);
});

// A server answer that shows the form again (errors, added rows) holds words that are not saved yet.
let unsaved = Boolean(form?.dataset.unsaved);
form?.addEventListener("input", () => { unsaved = true; });
form?.addEventListener("submit", () => { unsaved = false; });
addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});
