// What a plugin's own script finds in its frame: the global `Placet`. See docs/plugins.md.
// It runs in the same place as the plugin, so nothing here protects anybody; the page outside does.
(() => {
  // Where the browser does not know `Connection-Allowlist`, this one could still call out.
  for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection"]) delete window[name];
  const given = JSON.parse(document.getElementById("placet-given").textContent);
  const SECONDS = 30;
  const waiting = new Map(), handlers = new Map(), unsent = [];
  let port = null, count = 0, measures = true;

  function send(type, payload, id) {
    const message = id ? { type, id, payload } : { type, payload };
    if (port) port.postMessage(message);
    else unsent.push(message);
  }
  function ask(type, payload) {
    return new Promise((resolve, reject) => {
      const id = `hp_${++count}`;
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new Error(`${type} was not answered within ${SECONDS} s`));
      }, SECONDS * 1000);
      waiting.set(id, { resolve, reject, timer });
      send(type, payload, id);
    });
  }
  function settle(id, payload) {
    const asked = waiting.get(id);
    if (!asked) return;
    clearTimeout(asked.timer);
    waiting.delete(id);
    if (payload.error) asked.reject(new Error(payload.error));
    else asked.resolve(payload);
  }
  function happen({ event, data }) {
    if (event === "theme-changed") setTheme(data.theme);
    for (const handler of handlers.get(event) ?? []) handler(data);
  }
  function hear({ data: { type, id, payload } }) {
    if (type === "hp:event") happen(payload);
    else settle(id, payload);
  }

  // The page hands over one end of a channel; whoever else calls does not know the nonce.
  const nonce = crypto.getRandomValues(new Uint32Array(4)).join("-");
  addEventListener("message", function take(event) {
    const { source, data, ports } = event;
    if (source !== parent || data?.type !== "hp:port" || data.nonce !== nonce) return;
    removeEventListener("message", take);
    event.stopImmediatePropagation();
    [port] = ports;
    port.onmessage = hear;
    unsent.splice(0).forEach((message) => port.postMessage(message));
  });
  parent.postMessage({ type: "hp:ready", nonce }, "*");

  const root = document.documentElement;
  function setTheme(theme) {
    root.dataset.theme = Placet.theme = theme;
  }
  function resize(height) {
    if (height !== undefined) measures = false;
    const wanted = Number(height ?? Math.ceil(root.getBoundingClientRect().height));
    send("hp:resize", { height: wanted });
  }

  const Placet = {
    ...given,
    resize,
    toast: (message, variant = "info") => send("hp:toast", { message: String(message), variant }),
    emit: (action, data) => send("hp:emit", { action, data }),
    fetch: (url, { method = "GET", headers = {}, body } = {}) =>
      ask("hp:fetch", { url: String(url), method, headers, body: body ?? "" }),
    getFile: (attachmentId) => ask("hp:getFile", { attachmentId }),
    getFileUrl: (attachmentId) => ask("hp:getFileUrl", { attachmentId }),
    respond(response) {
      if (given.review?.status === "pending") return ask("hp:respond", { response });
      return Promise.reject(new Error("no review is waiting for an answer here"));
    },
    on(event, handler) {
      handlers.set(event, [...(handlers.get(event) ?? []), handler]);
    },
  };
  window.Placet = window.HumanProxy = Placet;
  setTheme(given.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  addEventListener("load", () => send("hp:loaded", {}));
  // As high as its content, until the plugin says how high.
  addEventListener("DOMContentLoaded", () => new ResizeObserver(() => measures && resize()).observe(root));
})();
