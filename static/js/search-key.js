// "/" moves to the search box, except while one is typing or holds a modifier key.
const TYPING = "input, textarea, select, [contenteditable]";

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target instanceof Element && event.target.closest(TYPING)) return;
  const box = document.querySelector("[data-search-key]");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});
