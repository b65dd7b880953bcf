// Native dialogs: a link with `data-dialog="<id>"` opens one; without scripts it leads to a page.

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
  if (!opener || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (show(opener.dataset.dialog)) event.preventDefault();
});
