// Does one piece of work with Deepgram's own client, and prints what came of it as JSON.
import { DeepgramClient } from "@deepgram/sdk";

const [work, url, apiKey, json, audio] = process.argv.slice(2);
const sockets = url.replace("http", "ws");
const environment = { base: url, production: sockets, agent: sockets, agentRest: url };
const client = new DeepgramClient({ apiKey, environment, maxRetries: 0 });
const options = JSON.parse(json);

const works = {
  recording: () => client.listen.v1.media.transcribeFile(Buffer.from("RIFF0000WAVE"), options),
  stream: async () => {
    const messages = [];
    const socket = await client.listen.v1.connect({ ...options, reconnectAttempts: 0 });
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("message", (message) => messages.push(message));
    socket.connect();
    await socket.waitForOpen();
    socket.sendMedia(Buffer.from(audio, "base64"));
    socket.sendCloseStream({ type: "CloseStream" });
    await closed;
    return messages;
  },
};

try {
  console.log(JSON.stringify({ result: await works[work]() }));
} catch (error) {
  const { statusCode, body } = error;
  if (statusCode === undefined) throw error;
  console.log(JSON.stringify({ error: { status: statusCode, body } }));
}
