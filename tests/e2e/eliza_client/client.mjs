// The official client as its users write it: every call of the messaging endpoints, and what each
// refusal throws. Prints one line of JSON for each step.
import { ApiError, ElizaClient } from "@elizaos/api-client";

const [url, apiKey, channel, foreignServer] = process.argv.slice(2);
const { messaging } = ElizaClient.create({ baseUrl: url, apiKey });
const say = (step, value) => console.log(JSON.stringify({ step, value: value ?? null }));

// Its own `post` is what all of its methods use; with it a test can send any field.
const path = `/api/messaging/channels/${channel}/messages`;
const post = (body, options) => messaging.post(path, body, options);

const plain = await messaging.postMessage(channel, "Hello");
say("post", plain);
say("post with metadata", await messaging.postMessage(channel, "Again", { userName: "Ada", n: 1.5 }));

const server = await messaging.getCurrentMessageServer();
say("server", server);
say("post with everything", await post({
  content: "An answer",
  author_id: crypto.randomUUID(),
  message_server_id: server.messageServerId,
  in_reply_to_message_id: plain.id,
  raw_message: { text: "An answer" },
  source_type: "my_app",
  mode: "websocket",
}));

const bridged = {
  platform: "slack",
  channelId: channel,
  messages: ["one", "two", "three"].map((content, number) => ({
    id: `s-${number}`, authorId: "U7", content, timestamp: Date.now(), metadata: { userName: "Kim" },
  })),
};
say("ingest", await messaging.ingestExternalMessages(bridged));
say("ingest again", await messaging.ingestExternalMessages(bridged));
say("ingest one", await messaging.ingestExternalMessages({
  agentId: channel,
  roomId: crypto.randomUUID(),
  userId: crypto.randomUUID(),
  text: "From Discord",
  sourceId: "d-1",
  sourceType: "discord",
}));

const texts = [];
let before;
do {
  const page = await messaging.getChannelMessages(channel, { limit: 3, before });
  texts.push(page.messages.map((message) => message.content));
  before = page.nextCursor;
} while (before);
say("pages", texts);

const hour = 60 * 60 * 1000;
const since = (ms) => messaging.getChannelMessages(channel, { after: new Date(Date.now() + ms) });
say("of the last hour", (await since(-hour)).messages.length);
say("of the next hour", (await since(hour)).messages.length);
say("older than an hour", (await messaging.getChannelMessages(channel, {
  before: new Date(Date.now() - hour),
})).messages.length);

async function thrown(step, call) {
  try {
    await call();
    say(step, "nothing was thrown");
  } catch (error) {
    const { code, status, message, details } = error;
    say(step, { typed: error instanceof ApiError, code, status, message, details });
  }
}

const whole = { content: "x", author_id: channel, message_server_id: server.messageServerId };
await thrown("400 missing", () => messaging.postMessage(channel));
await thrown("400 malformed", () => post({ ...whole, author_id: "me", mode: "later" }));
await thrown("400 in a list", () => messaging.ingestExternalMessages({
  ...bridged, messages: [bridged.messages[0], { id: "s-9", authorId: "U7" }],
}));
await thrown("400 pages", () => messaging.getChannelMessages(channel, { page: 2 }));
await thrown("403", () => post({ ...whole, message_server_id: foreignServer }));
await thrown("404 channel", () => messaging.postMessage(foreignServer, "x"));
await thrown("404 route", () => messaging.getChannelDetails(channel));
await thrown("405", () => messaging.clearChannelHistory(channel));
await thrown("413", () => messaging.postMessage(channel, "x".repeat(1024 * 1024)));
await thrown("415", () => post(whole, { headers: { "Content-Type": "text/plain" } }));

const stranger = ElizaClient.create({ baseUrl: url, apiKey: "hp_" + "0".repeat(48) }).messaging;
await thrown("401", () => stranger.postMessage(channel, "x"));
for (let tries = 0; tries < 20; tries += 1) {
  await stranger.getCurrentMessageServer().catch(() => {});
}
await thrown("429", () => stranger.postMessage(channel, "x"));
