// Stands in for the push service that a browser without a network cannot subscribe to. Keys are
// real and the browser's own; they are kept so that a test can read what is sent to them.
(endpoint) => {
  const text = (bytes) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");

  function kept() {
    if (!localStorage.subscription) return null;
    const { json } = JSON.parse(localStorage.subscription);
    const unsubscribe = async () => delete localStorage.subscription;
    return { endpoint: json.endpoint, toJSON: () => json, unsubscribe };
  }

  PushManager.prototype.getSubscription = async () => kept();
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly) throw new DOMException("pushes must be visible", "NotAllowedError");
    const curve = { name: "ECDH", namedCurve: "P-256" };
    await crypto.subtle.importKey("raw", applicationServerKey, curve, true, []);
    const pair = await crypto.subtle.generateKey(curve, true, ["deriveBits"]);
    const { d } = await crypto.subtle.exportKey("jwk", pair.privateKey);
    const p256dh = text(await crypto.subtle.exportKey("raw", pair.publicKey));
    const auth = text(crypto.getRandomValues(new Uint8Array(16)));
    const json = { endpoint, expirationTime: null, keys: { p256dh, auth } };
    localStorage.subscription = JSON.stringify({ json, d, server: text(applicationServerKey) });
    return kept();
  };
}
