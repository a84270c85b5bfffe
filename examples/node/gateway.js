// The gateway's services, from the protos of this repository.

'use strict';

const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const PROTOS = path.join(__dirname, '..', '..', 'protos');

// A job of many hours with word times has a result of some tens of megabytes.
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

// Names as in the protos and in what `maie --json` prints; unset fields are left out.
const LOADER_OPTIONS = { keepCase: true, longs: Number, enums: String, includeDirs: [PROTOS] };

/** Connects to JobService of the gateway that MAIE_GATEWAY names, by default localhost:50051. */
function connect() {
  return connectTo('maie/job/v1/job.proto', ({ job }) => job.v1.JobService);
}

/** Connects to its LiveService. */
function connectLive() {
  return connectTo('maie/live/v1/live.proto', ({ live }) => live.v1.LiveService);
}

function connectTo(proto, serviceIn) {
  const definition = protoLoader.loadSync(proto, LOADER_OPTIONS);
  const Service = serviceIn(grpc.loadPackageDefinition(definition).maie);
  const address = process.env.MAIE_GATEWAY || 'localhost:50051';
  return new Service(address, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  });
}

/** Prints a job as JSON, with its summary as the plain JSON that it is. */
function printJob(job) {
  const summary = job.results && job.results.summary;
  if (summary && summary.content) summary.content = fromStruct(summary.content);
  console.log(JSON.stringify(job, null, 2));
}

// proto-loader gives google.protobuf.Struct as the message that it is on the wire.
function fromStruct({ fields = {} }) {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, fromValue(value)]));
}

function fromValue(value) {
  if (value.structValue) return fromStruct(value.structValue);
  if (value.listValue) return (value.listValue.values || []).map(fromValue);
  return value.stringValue ?? value.numberValue ?? value.boolValue ?? null;
}

/** Ends the program with the gateway's own sentence about what is wrong. */
function fail(error) {
  console.error(error.details || error.message);
  process.exitCode = 1;
}

module.exports = { connect, connectLive, printJob, fail };
