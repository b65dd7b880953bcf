// An agent as Placet's clients are written: official client, API key, websocket only.
// Prints one line of JSON for each thing that happens; ends when its standard input does.
import { io } from "socket.io-client";

const say = (event, data) => console.log(JSON.stringify({ event, data }));
const [url, apiKey, ...channels] = process.argv.slice(2);
const socket = io(`${url}/ws`, { auth: { apiKey }, transports: ["websocket"] });

socket.on("connect", () => {
  for (const channel of channels) socket.emit("subscribe:channel", channel);
  socket.emit("ping");
});
socket.on("pong", () => say("subscribed"));
socket.on("connect_error", (error) => say("connect_error", error.message));
for (const event of [
  "message:created",
  "message:updated",
  "message:delivery",
  "message:delta",
  "review:responded",
  "review:expired",
]) {
  socket.on(event, (data) => say(event, data));
}
process.stdin.on("end", () => socket.close()).resume();
