// Does one piece of work with OpenAI's own client, and prints what came of it as JSON.
import OpenAI, { toFile } from "openai";

const client = new OpenAI({ maxRetries: 0 });
const [work, json] = process.argv.slice(2);
const { audio, ...options } = JSON.parse(json);
const file = audio && (await toFile(Buffer.from(audio, "base64"), "talk.wav"));

const works = {
  models: async () => (await client.models.list()).data,
  transcribe: () => client.audio.transcriptions.create({ file, ...options }),
  translate: () => client.audio.translations.create({ file, ...options }),
  stream: async () => {
    const events = [];
    for await (const event of await client.audio.transcriptions.create({ file, stream: true, ...options })) {
      events.push(event);
    }
    return events;
  },
};

try {
  console.log(JSON.stringify({ result: await works[work]() }));
} catch (error) {
  if (!(error instanceof OpenAI.APIError)) throw error;
  const { status, type, param, code, message } = error;
  console.log(JSON.stringify({ error: { kind: error.constructor.name, status, type, param, code, message } }));
}
