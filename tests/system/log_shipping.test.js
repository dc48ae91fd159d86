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
const logs = path.join(stack.home, 'log');
let rsyslog;

before(async () => {
  await collector.open();
  rsyslog = new Rsyslog({ files: path.join(logs, '*-service*', 'current'), port: collector.port,
                          directory: path.join(stack.directory, 'shipped') });
});

after(async () => {
  await rsyslog?.stop();
  await collector.close();
  await stack.stop();
});

/** Also those in files that were put away. */
function linesWritten() {
  return readdirSync(logs)
    .filter((name) => name.includes('-service'))
    .flatMap((name) => readdirSync(path.join(logs, name)).map((file) => path.join(logs, name, file)))
    .filter((file) => /\/(current|@[^/]*)$/.test(file))
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
  const before = collector.lines.length;
  await stack.kill('broker');
  stack.start('broker');
  await waitFor('a service to say that it lost the broker', () => linesWritten().length > before);
  await collector.open();
  await everyLineArrives();
});
