// The small helps of the review cards. The server judges every answer; nothing here does.

const card = () => document.getElementById("card");

// "Send 2 accounts": the button counts what is picked.
function count() {
  const number = card()?.querySelector("[data-count]");
  if (!number) return;
  number.textContent = card().querySelectorAll("[name='f.selectedIds']:checked").length || "";
}

function write(field, text) {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

const ACTIONS = {
  reset(field) {
    write(field, field.defaultValue);
  },
  format(field) {
    try {
      write(field, JSON.stringify(JSON.parse(field.value), null, 2));
      field.setCustomValidity("");
    } catch (problem) {
      field.setCustomValidity(problem.message);
      field.reportValidity();
    }
  },
  copy(field, button) {
    navigator.clipboard.writeText(field.value ?? field.textContent).then(
      () => button.classList.add("done"),
      () => (field.select ? field.select() : getSelection().selectAllChildren(field)), // for Ctrl+C
    );
  },
  async draw(place, button) {
    (await import("./annotate.js")).open(place, button);
  },
};

// What a button with `data-do` asks for; app.js listens to it.
export function help(button) {
  ACTIONS[button.dataset.do](document.getElementById(button.dataset.on), button);
}

document.addEventListener("input", (event) => {
  event.target.setCustomValidity?.("");
  if (event.target.name === "f.selectedIds") count();
  if (event.target.type === "range") event.target.nextElementSibling.value = event.target.value;
});
document.addEventListener("htmx:after:swap", count);
// An option that needs words opens the box for them.
document.addEventListener("click", (event) => {
  const option = event.target.closest("#card [data-needs-feedback]");
  const box = document.getElementById("answer-feedback");
  if (!option || !box || box.value.trim()) return;
  event.preventDefault();
  box.closest("details").open = true;
  box.focus();
});
count();

// Frames of plugins, in the page that is there and in what comes later.
const plugins = () => document.querySelector("[data-plugin]") && import("./plugin.js").then(({ start }) => start());
document.addEventListener("htmx:after:swap", plugins);
plugins();
