// Frames of plugins: makes them, listens to what they ask for, and does only what they may.
//
// A frame has an origin of its own and a policy that lets nothing out; what it says comes over one
// channel, and all of it may be a lie. It proposes answers; the person sends them with our button.
// See docs/plugins.md, web/frames/document.py, templates/plugins/place.html.
import { say } from "../status.js";

const LOWEST = 40, HIGHEST = 800;
const A_SECOND = 60, AT_ONCE = 120, MOST_LOST = 600; // messages
const OPEN_ASKS = 8, LARGEST = 256 * 1024, LARGEST_FILE = 10 * 1024 * 1024;
const ARRIVE_MS = 2000, TOAST_MS = 1000, PROPOSE_MS = 1000, SETTLE_MS = 700, LONGEST_TOAST = 200;
const TONES = { success: "success", error: "error", warning: "warning", info: "" };

const cards = new Set();
const text = (value) => (typeof value === "string" ? value : "");
const csrf = () => document.getElementsByName("csrfmiddlewaretoken")[0].value;

class Refusal extends Error {}

class Card {
  #port = null; #said = 0; #at = 0; #lost = 0; #asks = 0; #toasted = -Infinity; #proposed = -Infinity; #loads = 0; #arrived = false;

  constructor(place) {
    this.place = place;
    this.files = JSON.parse(place.dataset.files);
    this.frame = document.createElement("iframe");
    const fixed = { sandbox: "allow-scripts", referrerpolicy: "no-referrer", allow: "", loading: "lazy", title: place.dataset.plugin };
    for (const [name, value] of Object.entries(fixed)) this.frame.setAttribute(name, value);
    this.frame.addEventListener("load", () => this.#loaded());
    this.frame.src = place.dataset.address;
    // In a tree of its own, where no update of the page takes it for something old.
    this.tree = place.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("iframe { display: block; width: 100%; height: 100px; border: 0; color-scheme: inherit }");
    this.tree.adoptedStyleSheets = [sheet];
    this.tree.append(this.frame);
    cards.add(this);
  }

  // The origin of the frame is "null", as that of others is: whose window it is says who it is.
  greet({ data }) {
    if (this.#port || data?.type !== "hp:ready" || typeof data.nonce !== "string") return;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (event) => this.#hear(event.data);
    this.frame.contentWindow.postMessage({ type: "hp:port", nonce: data.nonce }, "*", [port2]);
  }

  // The page that the server gave us says so when it is there; any other one is not it.
  #loaded() {
    this.#loads += 1;
    if (this.#loads > 1) this.end(this.place.dataset.left);
    else setTimeout(() => this.#arrived || this.end(this.place.dataset.left), ARRIVE_MS);
  }

  arrive() {
    this.#arrived = true;
  }

  end(why) {
    this.#port?.close();
    if (!cards.delete(this)) return;
    if (why) this.tree.replaceChildren(why);
  }

  tell(event, data) {
    this.#port?.postMessage({ type: "hp:event", payload: { event, data } });
  }

  #flooded() {
    const now = performance.now();
    this.#said = Math.max(0, this.#said - ((now - this.#at) / 1000) * A_SECOND) + 1;
    this.#at = now;
    if (this.#said <= AT_ONCE) return false;
    this.#said = AT_ONCE;
    this.#lost += 1;
    if (this.#lost > MOST_LOST) this.end(this.place.dataset.stopped);
    return true;
  }

  #hear(data) {
    if (this.#flooded() || typeof data?.type !== "string" || typeof data.payload !== "object") return;
    const { type, id, payload } = data;
    if (Object.hasOwn(TOLD, type)) this[TOLD[type]](payload ?? {});
    if (Object.hasOwn(ASKED, type) && typeof id === "string" && id.length < 100) this.#answer(type, id, payload ?? {});
  }

  async #answer(type, id, payload) {
    const [method, answer] = ASKED[type];
    let result;
    try {
      if (this.#asks >= OPEN_ASKS) throw new Refusal(this.place.dataset.busy);
      this.#asks += 1;
      result = await this[method](payload).finally(() => (this.#asks -= 1));
    } catch (problem) {
      result = { ok: false, status: 0, error: problem instanceof Refusal ? problem.message : this.place.dataset.failed };
    }
    this.#port.postMessage({ type: answer, id, payload: result });
  }

  resize({ height }) {
    if (Number.isFinite(height)) this.frame.style.height = `${Math.min(HIGHEST, Math.max(LOWEST, Math.ceil(height)))}px`;
  }

  // With the card's name before it, so that it cannot pass for one of ours.
  toast({ message, variant }) {
    const now = performance.now();
    if (now - this.#toasted < TOAST_MS || !text(message)) return;
    this.#toasted = now;
    say(`${this.place.dataset.plugin}: ${message.slice(0, LONGEST_TOAST)}`, Object.hasOwn(TONES, text(variant)) ? TONES[variant] : "");
  }

  async fetch({ url, method, headers, body }) {
    const { calls, large, failed } = this.place.dataset;
    if (!calls) throw new Refusal("permissions.httpRequests is not true in the plugin's manifest");
    const asked = JSON.stringify({ url, method, headers, body });
    if (asked.length > LARGEST) throw new Refusal(large);
    const answer = await fetch(calls, { method: "POST", body: asked, headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() } });
    if (!answer.headers.get("Content-Type")?.includes("json")) throw new Refusal(failed);
    return answer.json();
  }

  async getFile({ attachmentId }) {
    if (!Object.hasOwn(this.files, text(attachmentId))) throw new Refusal("no such attachment in this message");
    const answer = await fetch(this.files[attachmentId]);
    if (!answer.ok) throw new Refusal(this.place.dataset.failed);
    if (Number(answer.headers.get("Content-Length")) > LARGEST_FILE) throw new Refusal(this.place.dataset.large);
    const bytes = await answer.blob();
    const name = answer.headers.get("Content-Disposition")?.match(/filename\*=UTF-8''([^;]*)/)?.[1] ?? "file";
    const reader = new FileReader();
    const data = await new Promise((resolve, reject) => {
      Object.assign(reader, { onload: () => resolve(reader.result), onerror: reject });
      reader.readAsDataURL(bytes);
    });
    return { ok: true, data, mimeType: bytes.type, filename: decodeURIComponent(name) };
  }

  // The frame may load nothing, so what it gets is the file itself.
  async getFileUrl(payload) {
    const { data } = await this.getFile(payload);
    return { ok: true, url: data };
  }

  async respond({ response }) {
    const { dataset } = this.place, form = document.querySelector("form#card"), shown = document.getElementById("proposal");
    if (!("answers" in dataset) || !form || !shown) throw new Refusal(dataset.noAnswer);
    if (performance.now() - this.#proposed < PROPOSE_MS) throw new Refusal(dataset.busy);
    this.#proposed = performance.now();
    const proposal = JSON.stringify(response) ?? "";
    if (proposal.length > LARGEST) throw new Refusal(dataset.large);
    const body = new URLSearchParams({ csrfmiddlewaretoken: csrf(), token: form.elements.token.value, proposal });
    const answer = await fetch(form.action.replace(/respond\/(\?.*)?$/, "card/"), { method: "POST", body, headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Refusal(dataset.failed);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const made = page.getElementById("proposal");
    if (!made || !shown.isConnected) throw new Refusal(dataset.refused);
    settle();
    shown.replaceChildren(...made.childNodes);
    const { problem } = shown.querySelector("#answer-proposal")?.dataset ?? {};
    if (problem) throw new Refusal(problem);
    return { ok: true };
  }
}

// What moves must not be clicked by somebody who aimed at what was there before.
let settled = 0;
function settle() {
  const area = document.getElementById("card-area");
  area.dataset.settling = "";
  clearTimeout(settled);
  settled = setTimeout(() => delete area.dataset.settling, SETTLE_MS);
}

// What a frame may say, and the method of ours that it leads to.
const TOLD = { "hp:loaded": "arrive", "hp:resize": "resize", "hp:toast": "toast" };
const ASKED = {
  "hp:fetch": ["fetch", "hp:fetch:response"],
  "hp:getFile": ["getFile", "hp:getFile:response"],
  "hp:getFileUrl": ["getFileUrl", "hp:getFileUrl:response"],
  "hp:respond": ["respond", "hp:respond:result"],
};

addEventListener("message", (event) => {
  for (const card of cards) {
    if (!card.frame.isConnected) card.end();
    else if (event.source === card.frame.contentWindow) card.greet(event);
  }
});

const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => {
  if (document.documentElement.dataset.theme) return; // chosen by the person
  for (const card of cards) card.tell("theme-changed", { theme: dark.matches ? "dark" : "light" });
});

export function start() {
  for (const place of document.querySelectorAll("[data-plugin]")) if (!place.shadowRoot) new Card(place);
}
