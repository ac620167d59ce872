// Suggestions below a search field while one types: an ARIA combobox; choosing one goes to its address.
import Combobox from "../vendor/combobox-nav/combobox-nav.js";

const PAUSE = 120;
const SHORTEST = 2;

export function suggest(input) {
  const address = input.dataset.suggest;
  if (!address) return;
  const list = document.createElement("ul");
  list.className = "suggestions";
  list.id = `${input.id}-vorschlaege`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.labels?.[0]?.textContent ?? "");
  list.hidden = true;
  input.form.append(list);
  const combobox = new Combobox(input, list, { tabInsertsSuggestions: false });
  const held = new Map();
  let timer = 0;
  let newest = 0;

  function close() {
    newest += 1;
    clearTimeout(timer);
    if (list.hidden) return;
    list.hidden = true;
    combobox.stop();
  }

  function show(items) {
    list.replaceChildren(...items.map((item, number) => {
      const option = document.createElement("li");
      option.className = "suggestions__item";
      option.id = `${list.id}-${number}`;
      option.setAttribute("role", "option");
      option.dataset.address = item.adresse;
      const text = document.createElement("span");
      text.textContent = item.text;
      const kind = document.createElement("span");
      kind.className = "suggestions__kind";
      kind.textContent = item.name;
      option.append(text, kind);
      return option;
    }));
    if (!items.length) return close();
    if (list.hidden) {
      list.hidden = false;
      combobox.start();
    }
    combobox.clearSelection();
  }

  async function look() {
    const typed = input.value.trim();
    if (typed.length < SHORTEST) return close();
    const mine = ++newest;
    try {
      if (!held.has(typed)) {
        const answer = await fetch(`${address}?q=${encodeURIComponent(typed.slice(0, 100))}`);
        if (!answer.ok) return close();
        held.set(typed, await answer.json());
      }
    } catch {
      return close();
    }
    // An answer that comes after the field was left or typed on would only be in the way.
    if (mine === newest && document.activeElement === input) show(held.get(typed));
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
  });
  input.addEventListener("blur", close);
  input.form.addEventListener("submit", close);
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("combobox-commit", (event) => {
    const { address: to } = event.target.dataset;
    close();
    if (to) location.assign(to);
  });
}
