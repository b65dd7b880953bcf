// What was typed and not sent survives a reload: in any form with `data-draft="<person>/<thing>"`.
//
// The name says whose draft it is, so that two people at one computer never meet. Drafts go away
// when the form was sent (201, or a redirect to what comes next) and when the person signs out.

const PREFIX = "draft:";
const KEPT_DAYS = 30;
const FIELDS = "textarea[name], select[name], input[name]";
const NEVER = new Set(["password", "hidden", "file", "submit", "button", "image", "reset"]);

const keyOf = (form) => PREFIX + form.dataset.draft;
const fieldsOf = (form) => [...form.querySelectorAll(FIELDS)].filter(({ type }) => !NEVER.has(type));
const isTick = ({ type }) => type === "checkbox" || type === "radio";
const nameOf = (field) => (isTick(field) ? `${field.name}=${field.value}` : field.name);

function isUntouched(field) {
  if (isTick(field)) return field.checked === field.defaultChecked;
  if (!field.options) return field.value === field.defaultValue;
  const initial = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
  return field.value === (initial?.value ?? "");
}

// Storage may be full or forbidden; then there are no drafts, and nothing else is lost.
function stored(work) {
  try {
    return work(localStorage);
  } catch {
    return null;
  }
}

const touchedIn = (form) => fieldsOf(form).filter((field) => !isUntouched(field));

function saveDraft(form) {
  const values = touchedIn(form).map((field) => [nameOf(field), isTick(field) ? field.checked : field.value]);
  if (!values.length) return clearDraft(form);
  return stored((storage) => storage.setItem(keyOf(form), JSON.stringify({ at: Date.now(), values })));
}

function clearDraft(form) {
  stored((storage) => storage.removeItem(keyOf(form)));
}

function fill(field, value) {
  if (isTick(field)) field.checked = value;
  else field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// What the server or the person put in a field meanwhile wins.
function restoreDraft(form) {
  const draft = stored((storage) => JSON.parse(storage.getItem(keyOf(form))));
  if (!draft) return;
  const values = new Map(draft.values);
  for (const field of fieldsOf(form)) {
    if (values.has(nameOf(field)) && isUntouched(field)) fill(field, values.get(nameOf(field)));
  }
}

const forms = () => [...document.querySelectorAll("form[data-draft]")];

function forget(isOver) {
  stored((storage) => {
    for (const key of Object.keys(storage)) {
      if (key.startsWith(PREFIX) && isOver(storage.getItem(key))) storage.removeItem(key);
    }
  });
}

for (const name of ["input", "change"]) {
  document.addEventListener(name, ({ target }) => {
    const form = target.closest?.("form[data-draft]");
    if (form) saveDraft(form);
  });
}

// Before anything is put in: another swap may end between this one and its own end. The form is
// on its way out, and the `change` that its field may still tell of is no draft.
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  const form = ctx.request?.form;
  const wasSent = ctx.response?.status === 201 || ctx.response?.raw?.redirected;
  if (ctx.request?.method === "POST" && form?.dataset.draft && wasSent) {
    clearDraft(form);
    delete form.dataset.draft;
  }
});
document.addEventListener("htmx:after:swap", () => forms().forEach(restoreDraft));

document.addEventListener("submit", ({ target }) => {
  if (target.action?.endsWith("/sign-out/")) forget(() => true);
});

forget((text) => Date.now() - (JSON.parse(text)?.at ?? 0) > KEPT_DAYS * 86_400_000);
forms().forEach(restoreDraft);
// Somebody may have typed before this was loaded.
for (const form of forms()) if (touchedIn(form).length) saveDraft(form);
