/*
 * The recipe for logs: a collector gets each line of each service as it was written, once.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { LineCollector, Rsyslog } from '../support/line_collector.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const stack = await startStack();
const collector = new LineCollector(stack.portBase + 30);
const SERVICES = ['order-service', 'payment-service', 'voucher-service'];
const logs = path.join(stack.home, 'log');
let rsyslog;

const startRsyslog = () => {
  const directory = path.join(stack.directory, 'shipped');
  rsyslog = new Rsyslog({ files: path.join(logs, '*-service*', 'current'), port: collector.port, directory });
};

before(async () => {
  await collector.open();
  startRsyslog();
});

after(async () => {
  await rsyslog?.stop();
  await collector.close();
  await stack.stop();
});

/** Those that were put away, and the one that is written to. */
function filesOf(name) {
  return readdirSync(path.join(logs, name))
    .filter((file) => /^(current|@.*)$/.test(file))
    .map((file) => path.join(logs, name, file));
}

function linesWritten() {
  return SERVICES.flatMap(filesOf)
    .flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1))
    .toSorted();
}

function everyLineArrives() {
  return waitFor('every line to arrive, as it was written and once', (seen) => {
    seen({ written: linesWritten().length, arrived: collector.lines.length, said: rsyslog.said });
    return isDeepStrictEqual(collector.lines.toSorted(), linesWritten());
  });
}

test('a collector gets each line as it was written, once', async () => {
  await everyLineArrives();
  assert.ok(collector.lines.length > 0);
  for (const line of collector.lines) assert.ok(JSON.parse(line).message, line);
});

test('what is written while the collector is away arrives when it is back', async () => {
  await collector.close();
  await somethingToWrite();
  await collector.open();
  await everyLineArrives();
});

test('files that are put away are read to their end, and then the new ones', async () => {
  for (const name of SERVICES) {
    const put = filesOf(name).length;
    process.kill(stack.recorded(`${name}.log`), 'SIGALRM');
    await waitFor(`${name} to begin a new file`, () => filesOf(name).length > put);
  }
  await somethingToWrite();
  await everyLineArrives();
});

test('an rsyslogd that is stopped goes on where it was', async () => {
  await rsyslog.stop();
  await somethingToWrite();
  startRsyslog();
  await everyLineArrives();
});

/** Each service says that it lost the broker. */
async function somethingToWrite() {
  const losses = () => linesWritten().filter((line) => line.includes('"broker connection lost"')).length;
  const known = losses();
  await Promise.all(SERVICES.map(untilConnected));
  await stack.kill('broker');
  stack.start('broker');
  await waitFor('each service to say that it lost the broker', () => losses() >= known + SERVICES.length);
}

function untilConnected(name) {
  return waitFor(`${name} to be whole`, async (seen) => {
    const { status, text } = await stack.shop(stack.urlOf(name), undefined).get('/readyz');
    seen(text);
    return status === 200 && !text.includes('degraded');
  });
}
