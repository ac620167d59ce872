// The search page without loading it anew: filters, chips, order and pages fetch the same address and swap the results in.
// Every address stays what it is without this script; when anything goes wrong, the browser simply goes there.
import { suggest } from "./suggestions.js";

const PART = "[data-swap]";
const form = document.querySelector("[data-search-form]");
let running = null;

function addressOf(element) {
  const given = new FormData(element);
  const wanted = new URLSearchParams([...given].filter(([, value]) => value !== ""));
  const query = wanted.toString();
  return element.getAttribute("action") + (query ? `?${query}` : "");
}

function openFacets() {
  return [...document.querySelectorAll(`${PART} [data-facet]`)].map((facet) => [facet.dataset.facet, facet.open]);
}

function keep(facets, focused) {
  for (const [name, open] of facets) {
    const facet = document.querySelector(`${PART} [data-facet="${CSS.escape(name)}"]`);
    if (facet) facet.open = open;
  }
  if (!focused) return;
  const same = document.querySelector(`${PART} input[name="${CSS.escape(focused.name)}"]` + (focused.type === "checkbox" ? `[value="${CSS.escape(focused.value)}"]` : ""));
  if (!same) return;
  same.closest(".facet__more")?.setAttribute("open", "");
  same.focus({ preventScroll: true });
}

async function swap(address, { push = true, focusCount = false } = {}) {
  running?.abort();
  running = new AbortController();
  const part = document.querySelector(PART);
  part.setAttribute("aria-busy", "true");
  let page;
  try {
    const answer = await fetch(address, { signal: running.signal, headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.querySelector(PART)) throw new Error("not a page of results");
  } catch (problem) {
    if (problem.name !== "AbortError") location.assign(address);
    return;
  }
  const facets = openFacets();
  const sheetOpen = document.querySelector("[data-filters]")?.matches(":popover-open");
  const active = document.activeElement;
  const focused = active?.closest?.(PART) && active.matches("input") ? { name: active.name, value: active.value, type: active.type } : null;
  part.replaceWith(page.querySelector(PART));
  for (const hidden of form.querySelectorAll('input[type="hidden"]')) hidden.remove();
  for (const hidden of page.querySelectorAll('[data-search-form] input[type="hidden"]')) form.append(hidden);
  form.elements.q.value = page.querySelector('[data-search-form] [name="q"]')?.value ?? "";
  const heading = page.querySelector("h1");
  if (heading) document.querySelector("h1").textContent = heading.textContent;
  for (const link of document.querySelectorAll('link[rel="canonical"], link[rel="alternate"][type="application/atom+xml"]')) {
    const fresh = page.querySelector(`link[rel="${link.rel}"]${link.type ? `[type="${link.type}"]` : ""}`);
    if (fresh) link.setAttribute("href", fresh.getAttribute("href"));
  }
  document.title = page.title;
  if (push) history.pushState({ search: true }, "", address);
  ready();
  if (sheetOpen) document.querySelector("[data-filters]")?.showPopover();
  keep(facets, focused);
  if (focusCount) {
    const count = document.querySelector("[data-count]");
    count?.focus({ preventScroll: true });
    if (count && count.getBoundingClientRect().top < 0) count.scrollIntoView({ block: "start" });
  }
}

// After each swap: without scripts a button sends the filters, with them every change does.
function ready() {
  for (const button of document.querySelectorAll("[data-apply]")) button.hidden = true;
}

if (form && document.querySelector(PART)) {
  ready();
  history.replaceState({ search: true }, "");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    swap(addressOf(form), { focusCount: true });
  });
  document.addEventListener("change", (event) => {
    if (event.target.form === form && event.target.closest(PART)) swap(addressOf(form));
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest(`${PART} [data-swap-link], ${PART} .pagination__link`);
    if (!link) return;
    event.preventDefault();
    swap(link.getAttribute("href"), { focusCount: true });
  });
  window.addEventListener("popstate", (event) => {
    if (event.state?.search) swap(location.pathname + location.search, { push: false });
  });
  suggest(form.elements.q);
}
