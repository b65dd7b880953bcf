// Native dialogs: a link with `data-dialog="<id>"` opens one; without scripts it leads to a page.

// Somebody wants a link in a tab or window of its own.
export const opensElsewhere = (event) => event.metaKey || event.ctrlKey || event.shiftKey;

export function show(id) {
  const dialog = document.getElementById(id);
  if (!dialog) return false;
  for (const other of document.querySelectorAll("dialog[open]")) other.close();
  dialog.showModal(); // focus goes back to where it was when it closes
  dialog.dispatchEvent(new CustomEvent("shown"));
  return true;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener && !opensElsewhere(event) && show(opener.dataset.dialog)) event.preventDefault();
});
