{% autoescape off %}// Keeps the stylesheet and a page for when there is no network, and shows notifications.
// Pages, fragments and files are private: none of them is ever kept.
const { name, inbox, icon, badge, kept, statics, cache: CACHE } = {{ facts }};
const [OFFLINE] = kept;
const HASHED = /\.[0-9a-f]{12}\.\w+$/; // its content never changes

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));

async function install() {
  await (await caches.open(CACHE)).addAll(kept);
  await skipWaiting();
}

async function activate() {
  for (const old of await caches.keys()) if (old !== CACHE) await caches.delete(old);
  await registration.navigationPreload?.enable();
  await clients.claim();
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (pathname.startsWith(statics)) {
    if (HASHED.test(pathname)) event.respondWith(hashed(request));
    else if (kept.includes(pathname)) event.respondWith(plain(request));
  }
});

async function page(event) {
  try {
    return (await event.preloadResponse) || (await fetch(event.request));
  } catch {
    return (await caches.match(OFFLINE)) || Response.error();
  }
}

async function hashed(request) {
  const cache = await caches.open(CACHE);
  const found = await cache.match(request);
  if (found) return found;
  const fresh = await fetch(request);
  if (fresh.status === 200) await cache.put(request, fresh.clone());
  return fresh;
}

async function plain(request) {
  return fetch(request).catch(async () => (await caches.match(request)) || Response.error());
}

addEventListener("push", (event) => event.waitUntil(show(event.data?.json() || {})));

async function show({ id, channel, title, text, closed, pending }) {
  if (pending !== undefined) await navigator.setAppBadge?.(pending).catch(() => {});
  const tag = id || "trial";
  // Browsers want to see something for each push, unless the person is looking at a page of ours.
  if (closed && !(await registration.getNotifications({ tag })).length && (await looking())) return;
  const data = id ? `${inbox}${encodeURIComponent(id)}/` : inbox;
  const options = { body: title || text || "", tag, data, icon, badge, dir: "auto", silent: !!closed };
  await registration.showNotification(channel || name, options);
}

async function looking() {
  return (await windows()).some((page) => page.visibilityState === "visible");
}

function windows() {
  return clients.matchAll({ type: "window", includeUncontrolled: true });
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data));
});

// A page that shows something else is left alone: somebody may be writing there.
async function open(path) {
  const page = (await windows()).find(({ url }) => new URL(url).pathname === path);
  return page ? page.focus() : clients.openWindow(path);
}
{% endautoescape %}
