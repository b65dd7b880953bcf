// Files of a message: chosen, dropped or pasted; checked before they are sent; sent with progress.
import { complain } from "./composer.js";

const FORM = ".compose form";
const byId = (id) => document.getElementById(id);
const composer = () => document.querySelector(FORM);
const inputOf = (form) => form.elements.files;
const units = [[2 ** 30, "GB"], [2 ** 20, "MB"], [2 ** 10, "KB"]]; // as the server counts

function sizeText(bytes) {
  const [unit, name] = units.find(([least]) => bytes >= least) ?? [1, "B"];
  return `${new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 }).format(bytes / unit)} ${name}`;
}

function chip(file, index) {
  const item = byId("chosen-file").content.firstElementChild.cloneNode(true);
  const ending = file.name.includes(".") ? file.name.split(".").at(-1).slice(0, 4) : "";
  item.querySelector(".ic").textContent = ending.toUpperCase();
  item.querySelector("b").textContent = file.name;
  item.querySelector("small").textContent = sizeText(file.size);
  const button = item.querySelector("button");
  button.dataset.unchoose = index;
  button.querySelector(".sr").append(` ${file.name}`);
  return item;
}

// A file input forgets its files when others are chosen; here they add up.
const chosen = new WeakMap();

function set(form, files) {
  const kept = new DataTransfer();
  for (const file of files) kept.items.add(file);
  inputOf(form).files = kept.files;
  chosen.set(form, files);
  byId("chosen").replaceChildren(...files.map(chip));
}

function add(form, added) {
  const files = [...(chosen.get(form) ?? []), ...added];
  const { most, many, largest, large } = form.dataset;
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const problem = (files.length > Number(most) && many) || (total > Number(largest) && large);
  set(form, problem ? (chosen.get(form) ?? []) : files);
  if (problem) complain(form, problem);
  else form.querySelector("#composer-errors").replaceChildren();
}

document.addEventListener("change", ({ target }) => {
  if (target.id === "message-files") add(target.form, [...target.files]);
});

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-unchoose]");
  if (button) {
    const { form } = button;
    set(form, chosen.get(form).filter((_, index) => index !== Number(button.dataset.unchoose)));
    byId("message-text").focus();
  }
  if (target.closest("[data-cancel-upload]")) htmx.trigger(composer(), "htmx:abort");
});

document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  const isText = event.clipboardData.types.includes("text/plain");
  if (event.target.id !== "message-text" || !files.length || isText) return;
  event.preventDefault();
  add(event.target.form, files);
});

const bringsFiles = (event) => composer() && event.dataTransfer?.types.includes("Files");

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault(); // else the browser leaves the page and opens the file
    composer().classList.add("dropping");
  });
}

document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) composer()?.classList.remove("dropping");
});

document.addEventListener("drop", (event) => {
  if (!bringsFiles(event)) return;
  event.preventDefault();
  composer().classList.remove("dropping");
  add(composer(), [...event.dataTransfer.files]);
});

function headersOf(call) {
  const lines = call.getAllResponseHeaders().trim().split(/\r?\n/).filter(Boolean);
  return lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
}

let spoken = 0; // quarters

// The bar and the figures follow every step; a screen reader hears of each quarter, once.
function show(sent, all) {
  const line = byId("sending");
  if (!line) return;
  const share = all ? sent / all : 0, bar = line.querySelector("progress");
  if (share < 1) bar.value = share;
  else bar.removeAttribute("value"); // all is there; the server is at work on it
  const [figures, heard] = line.querySelectorAll("[data-bytes], [role=status]");
  figures.textContent = figures.dataset.bytes.replace("{sent}", sizeText(sent)).replace("{all}", sizeText(all));
  const quarter = Math.floor(share * 4);
  if (quarter > spoken) heard.textContent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" }).format(quarter / 4);
  spoken = quarter;
}

// `fetch` does not say how far an upload is; this does, and answers as `fetch` would.
function send(url, { method, headers, body, signal }) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open(method, url);
    for (const [name, value] of Object.entries(headers)) call.setRequestHeader(name, value);
    call.upload.onprogress = ({ loaded, total }) => show(loaded, total);
    call.onload = () => resolve(new Response(call.responseText, { status: call.status, headers: headersOf(call) }));
    call.onerror = () => reject(new TypeError("the connection failed"));
    call.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    signal.addEventListener("abort", () => call.abort());
    call.send(body);
  });
}

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const { form } = ctx.request;
  if (!form?.matches(FORM) || !inputOf(form).files.length) return;
  ctx.fetch = send;
  const total = [...inputOf(form).files].reduce((sum, { size }) => sum + size, 0);
  spoken = 0;
  show(0, total);
  byId("sending").hidden = false;
});

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const line = byId("sending");
  if (!line || !ctx.request.form?.dataset.most) return;
  line.hidden = true;
  line.querySelector("[role=status]").replaceChildren();
});
