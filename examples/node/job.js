// Prints a job as JSON, with its results as far as they are there.
//
//   node examples/node/job.js JOB_ID

'use strict';

const { connect, printJob, fail } = require('./gateway');

function main() {
  const client = connect();
  client.getJob({ job_id: process.argv[2] }, (error, response) => {
    if (error) fail(error);
    else printJob(response.job);
    client.close();
  });
}

main();
