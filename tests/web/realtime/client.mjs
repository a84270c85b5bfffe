// Speaks through OpenAI's own client, and prints the events that come as JSON.
import { OpenAIRealtimeWS } from "openai/realtime/ws";

const audio = process.argv[2];
const events = [];
const realtime = new OpenAIRealtimeWS({ model: process.argv[3] });
realtime.on("event", (event) => events.push(event));
realtime.on("error", () => realtime.close());
realtime.on("session.created", () =>
  realtime.send({
    type: "session.update",
    session: { type: "transcription", audio: { input: { turn_detection: null } } },
  }),
);
realtime.on("session.updated", () => {
  realtime.send({ type: "input_audio_buffer.append", audio });
  realtime.send({ type: "input_audio_buffer.commit" });
});
realtime.on("conversation.item.input_audio_transcription.completed", () =>
  realtime.send({ type: "input_audio_buffer.commit", event_id: "again" }),
);
realtime.socket.on("close", (code) => console.log(JSON.stringify({ events, code })));
