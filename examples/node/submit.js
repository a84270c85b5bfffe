// Sends a recording to the gateway and follows its job to the end.
//
//   node examples/node/submit.js FILE [--template ID]
//
// Progress and text go to standard error as they come, the result to standard output as JSON.

'use strict';

const { createHash } = require('node:crypto');
const { createReadStream } = require('node:fs');
const path = require('node:path');
const { once } = require('node:events');
const { parseArgs } = require('node:util');
const { connect, printJob, fail } = require('./gateway');

const MESSAGE_BYTES = 256 * 1024;

async function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { template: { type: 'string' } },
  });
  if (positionals.length !== 1) throw new Error('Usage: submit.js FILE [--template ID]');

  const client = connect();
  const call = client.processAudio();
  // Sending and listening go on at the same time: a refusal may come in mid-upload.
  const finished = follow(call);
  const sending = send(call, positionals[0], values.template);
  sending.catch(() => call.cancel());
  try {
    const job = await Promise.race([finished, sending.then(() => finished)]);
    printJob(job);
    if (job.state !== 'JOB_STATE_COMPLETE') process.exitCode = 1;
  } finally {
    client.close();
  }
}

/** Sends the config, the audio, and a finish message that proves the upload whole. */
async function send(call, file, templateId) {
  const features = ['FEATURE_RAW_TRANSCRIPT', 'FEATURE_CLEAN_TRANSCRIPT'];
  if (templateId) features.push('FEATURE_SUMMARY');
  const config = { features, template_id: templateId, filename: path.basename(file) };
  await write(call, { config });

  const digest = createHash('sha256');
  let size = 0;
  for await (const audio of createReadStream(file, { highWaterMark: MESSAGE_BYTES })) {
    digest.update(audio);
    size += audio.length;
    await write(call, { audio });
  }
  await write(call, { finish: { size_bytes: size, sha256: digest.digest('hex') } });
  call.end();
}

/** Writes one part and, where the gateway is slower than the disk, waits for it. */
async function write(call, upload) {
  if (!call.write({ upload })) await once(call, 'drain');
}

/** Tells what happens to the job, and gives the job when it is finished. */
function follow(call) {
  return new Promise((resolve, reject) => {
    let job;
    call.on('data', ({ event }) => {
      if (event.finished) job = event.finished.job;
      else tell(event);
    });
    call.on('error', reject);
    call.on('end', () => {
      if (job) resolve(job);
    });
  });
}

function tell(event) {
  if (event.accepted) {
    console.error(`accepted as ${event.accepted.job_id}`);
  } else if (event.stage_progress) {
    const { stage, fraction = 0 } = event.stage_progress;
    console.error(`${stage} ${Math.round(100 * fraction)} %`);
  } else if (event.segment) {
    console.error(`${event.segment.segment_id} ${event.segment.clean_text || event.segment.text}`);
  }
}

main().catch(fail);
