/*
 * The console as the edge serves it: its files and their policy, and what only operators may read.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';

import { makeKey } from '../support/keys.js';
import { top } from '../support/launcher.js';
import { expectProblem, expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';

const stack = await startStack({ CHECKOUT_INSTANCES: '2' });
after(() => stack.stop());

const shop = stack.shop(stack.env.CHECKOUT_URL);
const stranger = shop.as(undefined);
const operator = shop.as(stack.env.CHECKOUT_OPERATOR_KEY);

const folder = path.join(top, 'console');
const files = readdirSync(folder).filter((name) => /\.(js|css|svg)$/.test(name));

describe('the console\'s files', () => {
  test('are served as they are, the page itself at /, without a key', async () => {
    const page = expectStatus(await stranger.get('/'), 200);
    assert.equal(page.text, readFileSync(path.join(folder, 'index.html'), 'utf8'));
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
    const types = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml; charset=utf-8' };
    for (const name of files) {
      const answer = expectStatus(await stranger.get(`/console/${name}`), 200);
      assert.equal(answer.text, readFileSync(path.join(folder, name), 'utf8'), name);
      assert.equal(answer.headers['content-type'], types[name.split('.').at(-1)], name);
    }
  });

  test('come with a policy that lets nothing in but themselves, and no markup out of texts', async () => {
    for (const each of ['/', '/console/main.js', '/console/packages/mqtt.js']) {
      const { headers } = expectStatus(await stranger.get(each), 200);
      const policy = headers['content-security-policy'].split('; ');
      assert.ok(policy.includes("default-src 'none'") && policy.includes("script-src 'self'"), each);
      assert.ok(policy.includes("require-trusted-types-for 'script'") && policy.includes("frame-ancestors 'none'"), each);
      assert.doesNotMatch(headers['content-security-policy'], /unsafe|\*|https?:|data:|blob:/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
  });

  test('are asked for only if they changed', async () => {
    const { headers } = expectStatus(await stranger.get('/console/packages/mqtt.js'), 200);
    assert.equal(headers['cache-control'], 'no-cache');
    const again = await stranger.get('/console/packages/mqtt.js', { headers: { 'if-modified-since': headers['last-modified'] } });
    expectStatus(again, 304);
  });

  test('that are not there are a problem', async () => {
    for (const each of ['/console/', '/console/nothing.js', '/console/packages/', '/console/package.json']) {
      expectProblem(await stranger.get(each), 404, 'not_found');
    }
    assert.equal((await stranger.post('/', {})).headers.allow, 'GET, HEAD');
  });
});

/** What the launcher's `console_put` does in a checkout whose console has nothing from npm. */
function putWithoutPackages(home) {
  const parts = ['message', 'console'].map((name) => path.join(top, 'deploy/launcher', `${name}.sh`));
  const script = `set -euo pipefail; . ${parts[0]}; . ${parts[1]}; top=${home}/checkout home=${home}; console_put; console_mention`;
  return spawnSync('bash', ['-c', script], { encoding: 'utf8' });
}

test('a console that lacks its packages is left out with a plain word, and nothing is shown of an older one', (t) => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'console-'));
  t.after(() => rmSync(home, { recursive: true }));
  const pages = path.join(home, 'edge/pages/console');
  mkdirSync(pages, { recursive: true });
  writeFileSync(path.join(pages, 'index.html'), 'an older one');
  const { status, stdout, stderr } = putWithoutPackages(home);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^The console is left out: console\/node_modules lacks .*\n {2}\.\/checkout up {3}without --no-install gets it\.\n$/);
  assert.equal(stdout, '', 'what up says of the edge');
  assert.ok(!existsSync(pages));
});

const guarded = ['/services/order-service/metrics', '/services/voucher-service-1/metrics', '/reports/audit'];

describe('what only operators may read', () => {
  test('each process\' metrics, second instances too, and no other\'s', async () => {
    const { json } = expectStatus(await stranger.get('/console/processes.json'), 200);
    assert.deepEqual(json.toSorted(), ['order', 'payment', 'voucher'].flatMap((name) => [`${name}-service`, `${name}-service-1`]));
    for (const name of json) {
      const answer = expectStatus(await operator.get(`/services/${name}/metrics`), 200);
      assert.match(answer.text, /^checkout_journal_batch_size_count \d+$/m);
      assert.match(answer.text, /^checkout_event_log_head\{stream="0"\} \d+$/m);
    }
    expectProblem(await operator.get('/services/order-service-2/metrics'), 404, 'not_found');
    expectProblem(await operator.post('/console/processes.json', {}), 405, 'method_not_allowed');
    expectProblem(await operator.get('/services/bank-simulator/metrics'), 404, 'not_found');
  });

  test('is refused to a shop, to a key of all merchants without the scope, and to strangers', async () => {
    const reader = stranger.as(await makeKey(stack, '*', ['orders:read', 'events:read']));
    for (const each of guarded) {
      expectProblem(await shop.get(each), 403, 'missing_scope');
      expectProblem(await reader.get(each), 403, 'missing_scope');
      expectProblem(await stranger.get(each), 401, 'key_missing');
      expectProblem(await stranger.as(`ck_nobody_${'x'.repeat(43)}`).get(each), 401, 'key_invalid');
    }
  });

  test('the newest audit: nothing before there was one, then each invariant with its meaning', async () => {
    expectProblem(await operator.get('/reports/audit'), 404, 'not_found');
    const audit = JSON.parse((await stack.must(['audit', '--json', '--wait', '60'])).stdout);
    const { json } = expectStatus(await operator.get('/reports/audit'), 200);
    assert.match(json.made_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(json.invariants.map(({ meaning, ...rest }) => rest), audit);
    for (const { id, meaning } of json.invariants) assert.match(meaning, /^[A-Z].{40,}\.$/, id);
  });
});
