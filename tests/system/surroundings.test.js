/*
 * The launcher in the environment of somebody who also works with other servers.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { expectCleanAudit, untilQuiet } from '../support/audit.js';
import { startStack } from '../support/stack.js';

/* Nobody listens there, and the last one makes dbmate give up. */
const surroundings = {
  http_proxy: 'http://127.0.0.1:1',
  ALL_PROXY: 'http://127.0.0.1:1',
  PGHOSTADDR: '127.0.0.9',
  PGOPTIONS: '-c no_such_setting=1',
  PGSYSCONFDIR: '/nonexistent',
};

const stack = await startStack(surroundings);
after(() => stack.stop());

test('neither a proxy nor settings of libpq lead the launcher to another server', async () => {
  await stack.must(['demo']);
  await untilQuiet(stack);
  await expectCleanAudit(stack);
  const { stdout } = await stack.must(['psql', 'orders', '-Atc', 'SELECT count(*) FROM orders']);
  assert.ok(Number(stdout) >= 1);
});
