// Drawing on pictures: its program is loaded when somebody wants to draw.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-annotate-open]");
  if (!button) return;
  const place = button.closest("[data-annotate]");
  button.disabled = true;
  try {
    const { open } = await import(place.dataset.module);
    await open(place, button);
  } finally {
    button.disabled = false;
  }
});
