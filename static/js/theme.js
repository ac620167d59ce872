// Switches light and dark in place; without scripts the same links go through the server, which sets the same cookie.
const NAMES = { hell: "light", dunkel: "dark" };
const COOKIE = "darstellung";

function apply(value) {
  const name = NAMES[value];
  if (name) document.documentElement.dataset.kernTheme = name;
  else delete document.documentElement.dataset.kernTheme;
  const scheme = document.querySelector('meta[name="color-scheme"]');
  if (scheme) scheme.content = name ?? "light dark";
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = name
    ? `${COOKIE}=${value}; Max-Age=31536000; Path=/; SameSite=Lax${secure}`
    : `${COOKIE}=; Max-Age=0; Path=/; SameSite=Lax${secure}`;
}

for (const list of document.querySelectorAll("[data-theme-switch]")) {
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-theme]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    apply(link.dataset.theme);
    for (const other of list.querySelectorAll("a[data-theme]")) {
      if (other === link) other.setAttribute("aria-current", "true");
      else other.removeAttribute("aria-current");
    }
    const menu = list.closest("details");
    const picture = menu?.querySelector("summary use");
    if (picture) picture.setAttribute("href", link.querySelector("use").getAttribute("href"));
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
