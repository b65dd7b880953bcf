// Switches notifications on where a person asks for it.
// Texts are in the page (templates/settings/devices.html); here they are only shown.

start(document.querySelector("[data-push]"), navigator.serviceWorker?.register("/sw.js"));

async function start(part, registered) {
  const say = (what, detail = "") => {
    for (const text of part.querySelectorAll("[data-push-text]"))
      text.hidden = text.dataset.pushText !== what;
    part.querySelector("[data-push-detail]").textContent = detail;
  };
  if (!registered || !("PushManager" in window && "Notification" in window))
    return say(/iPhone|iPad/.test(navigator.userAgent) || navigator.standalone === false ? "install" : "unsupported");
  say(Notification.permission === "denied" ? "denied" : "");
  try {
    const { pushManager } = await registered.then(() => navigator.serviceWorker.ready);
    const subscription = await pushManager.getSubscription();
    const row = subscription && part.querySelector(`[data-device="${await sha256(subscription.endpoint)}"]`);
    if (row) here(row, subscription);
    if (row?.dataset.key !== part.dataset.push) offer(part, pushManager, subscription, say);
  } catch {
    say("failed");
  }
}

function here(row, subscription) {
  row.querySelector("[data-push-here]").hidden = false;
  const form = row.querySelector("[data-push-off]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await subscription.unsubscribe().catch(() => {});
    form.submit();
  });
}

function offer(part, pushManager, old, say) {
  const form = part.querySelector("[data-push-on]");
  const button = form.querySelector("button");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      if ((await Notification.requestPermission()) !== "granted") return say("denied");
      await old?.unsubscribe();
      const subscription = await pushManager.subscribe({
        userVisibleOnly: true,
        applicationServerKey: bytes(part.dataset.push),
      });
      const answer = await send(form, subscription);
      if (answer.redirected) return say("signed-out");
      if (answer.ok) return location.reload();
      await subscription.unsubscribe();
      say("refused", (await answer.json()).error);
    } catch {
      say(navigator.onLine ? "failed" : "offline");
    } finally {
      button.disabled = false;
    }
  });
}

function send(form, subscription) {
  const token = form.elements.csrfmiddlewaretoken.value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  return fetch(form.action, { method: "POST", headers, body: JSON.stringify(subscription) });
}

function bytes(base64url) {
  const letters = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

async function sha256(text) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
