// A button beside each section heading that copies a link to the section; without this script the contents list has the links.
const label = document.documentElement.lang === "en" ? ["Copy link to this section", "Link copied"] : ["Link zu diesem Abschnitt kopieren", "Link kopiert"];

for (const heading of document.querySelectorAll("[data-copy-link]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "kern-btn kern-btn--tertiary kern-btn--x-small copy-link";
  button.innerHTML = '<span class="kern-icon kern-icon--content-copy" aria-hidden="true"></span><span class="kern-label kern-sr-only"></span>';
  const text = button.querySelector(".kern-label");
  text.textContent = `${label[0]}: ${heading.textContent}`;
  button.addEventListener("click", async () => {
    const address = new URL(`#${heading.id}`, location.href).href;
    try {
      await navigator.clipboard.writeText(address);
      text.textContent = label[1];
      button.classList.add("copy-link--done");
    } catch {
      location.hash = heading.id; // without the clipboard the address bar holds the link
    }
  });
  heading.after(button);
}
