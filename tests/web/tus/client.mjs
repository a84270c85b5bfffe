// Uploads a file with tus-js-client, and prints what came of it as JSON.
// node client.mjs ENDPOINT FILE OPTIONS, where OPTIONS are JSON: `url` of an upload to go on with,
// `pauseAt` so many bytes, `chunkSize`, and `metadata`.
import fs from "node:fs";
import * as tus from "tus-js-client";

const [endpoint, file, json] = process.argv.slice(2);
const { url, pauseAt = Infinity, chunkSize = Infinity, headers, metadata } = JSON.parse(json);
let job = null;

function say(what) {
  console.log(JSON.stringify(what));
  process.exit(0);
}

const upload = new tus.Upload(fs.createReadStream(file), {
  endpoint,
  uploadUrl: url,
  uploadSize: fs.statSync(file).size,
  chunkSize,
  // A part of the mesh may need long to come back on a busy machine.
  retryDelays: Array(1000).fill(100),
  headers,
  metadata,
  onAfterResponse: (_, response) => {
    job = response.getHeader("Maie-Job-Id") ?? job;
  },
  onUploadUrlAvailable: () => console.error(upload.url),
  onProgress: async (sent) => {
    if (sent >= pauseAt) {
      await upload.abort();
      say({ url: upload.url });
    }
  },
  onSuccess: () => say({ url: upload.url, job }),
  onError: (error) => say({ error: error.message, status: error.originalResponse?.getStatus() }),
});
upload.start();
