// After a form was sent with mistakes, the summary of them gets the focus, so that it is read out and links are near.
document.querySelector("[data-focus]")?.focus();
