// Where a person writes: Enter sends, replies quote, and what failed stays to be sent again.

const FORM = ".compose form";
const HANDLED = [413, 422, 503]; // the answer says at the field what is wrong
const byId = (id) => document.getElementById(id);

const enterSends = () =>
  document.body.dataset.enterSends !== "off" && matchMedia("(pointer: fine)").matches;

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.id !== "message-text" || event.defaultPrevented) return;
  const commanded = event.metaKey || event.ctrlKey;
  if (event.isComposing || event.shiftKey || event.altKey) return;
  if (!commanded && !enterSends()) return;
  event.preventDefault();
  event.stopPropagation();
  event.target.form.requestSubmit();
});

export function complain(form, text) {
  const box = form.querySelector("#composer-errors");
  const line = document.createElement("span");
  line.className = "err";
  line.textContent = text;
  box.replaceChildren(line);
}

const composerOf = (event) => {
  const source = event.detail.ctx?.sourceElement;
  return source?.matches?.(FORM) ? source : null;
};

// While it is on its way nothing can be typed that would be lost.
document.addEventListener("htmx:before:request", (event) => {
  const form = composerOf(event);
  if (!form) return;
  form.querySelector("#composer-errors").replaceChildren();
  form.elements.text.readOnly = true;
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const field = byId("message-text");
  if (field && ctx.request.form?.dataset.most) field.readOnly = false;
});

document.addEventListener("htmx:error", (event) => {
  const form = composerOf(event);
  if (form) complain(form, form.dataset.failed);
});

document.addEventListener("htmx:response:error", (event) => {
  const form = composerOf(event);
  if (form && !HANDLED.includes(event.detail.ctx.response.status)) complain(form, form.dataset.failed);
});

function settle(event) {
  const hint = document.querySelector(".enter-hint");
  if (hint) hint.hidden = !enterSends();
  if (event?.detail.ctx.target?.id === "quote") byId("message-text")?.focus();
}

document.addEventListener("htmx:after:swap", settle);
settle();
