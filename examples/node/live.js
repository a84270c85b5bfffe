// Prints what is said, while it is said, in 16-bit mono samples of 16 kHz from standard input.
//
//   arecord -q -t raw -f S16_LE -r 16000 | node examples/node/live.js
//
// When a call breaks, it resumes the session and sends again what was not durable.

'use strict';

const { EventEmitter, once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { status } = require('@grpc/grpc-js');
const { connectLive, fail } = require('./gateway');

const MESSAGE_BYTES = 6400; // 200 ms
const MOST_KEPT = 600; // two minutes
const RETRY_MS = 500;
const KEEP_ALIVE_MS = 5000;

const config = {
  format: { encoding: 'AUDIO_ENCODING_LINEAR16', sample_rate_hertz: 16000 },
  job: { features: ['FEATURE_RAW_TRANSCRIPT'] },
};
const news = new EventEmitter();
let start = { config };
let kept = []; // what is not durable yet, in order
let call; // the call that takes audio, if there is one

async function main() {
  const client = connectLive();
  const keepAlive = setInterval(() => call && call.write({ keep_alive: {} }), KEEP_ALIVE_MS);
  const listening = listen(client);
  try {
    await Promise.race([listening, speak().then(() => listening)]);
  } finally {
    clearInterval(keepAlive);
    client.close();
    process.stdin.destroy();
  }
}

/** Sends standard input in numbered messages; waits while too much is not durable. */
async function speak() {
  let rest = Buffer.alloc(0);
  let sequence = 0;
  const send = (content) => add({ audio: { sequence: (sequence += 1), content } });
  for await (const chunk of process.stdin) {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= MESSAGE_BYTES; rest = rest.subarray(MESSAGE_BYTES)) {
      send(rest.subarray(0, MESSAGE_BYTES));
      if (kept.length > MOST_KEPT) await once(news, 'room');
    }
  }
  if (rest.length > 1) send(rest.subarray(0, rest.length - (rest.length % 2)));
  add({ end: {} });
}

function add(message) {
  kept.push(message);
  if (call) call.write(message);
}

/** Calls until the session has ended, again where a call breaks. */
async function listen(client) {
  for (;;) {
    try {
      return await converse(client.transcribe());
    } catch (error) {
      call = undefined;
      const broken = [status.UNAVAILABLE, status.CANCELLED].includes(error.code);
      if (!broken || !start.session_id) throw error;
      await sleep(RETRY_MS);
    }
  }
}

function converse(opened) {
  return new Promise((resolve, reject) => {
    opened.on('error', reject);
    opened.on('data', (event) => {
      if (event.sequence) start.after_sequence = event.sequence;
      if (event.started) begin(opened, event.started);
      if (event.acknowledged) drop(event.acknowledged.tracks);
      if (event.final) console.log(event.final.segment.text);
      if (event.go_away) opened.cancel();
      if (event.ended) resolve(opened.end());
    });
    opened.write({ start });
  });
}

function begin(opened, { session_id, resume_token, tracks }) {
  start = { session_id, resume_token, after_sequence: start.after_sequence };
  drop(tracks || []);
  kept.forEach((message) => opened.write(message));
  call = opened;
}

function drop(tracks) {
  for (const { durable_sequence: durable = 0 } of tracks) {
    kept = kept.filter(({ audio }) => !audio || audio.sequence > durable);
  }
  news.emit('room');
}

main().catch(fail);
