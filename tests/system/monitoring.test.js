/*
 * What an operator's tools are told: pages of metrics, rules and dashboard, tried on a stack that works.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { untilQuiet } from '../support/audit.js';
import { publish } from '../support/bus.js';
import { top } from '../support/launcher.js';
import { Prometheus, promtool, samplesOf, servePage } from '../support/prometheus.js';
import { expectStatus } from '../support/shop.js';
import { startStack } from '../support/stack.js';
import { waitFor, waitUntilEqual } from '../support/wait.js';

const monitoring = path.join(top, 'deploy', 'monitoring');
const PROGRAMS = ['order-service', 'payment-service', 'voucher-service', 'bank-simulator'];

const stack = await startStack();
after(() => stack.stop());

const auditFile = () => readFileSync(path.join(stack.home, 'metrics', 'audit.prom'), 'utf8');

const valueOf = (page, name) => samplesOf(page).find((sample) => sample.name === name)?.value;

const untilOpenLetters = (count) =>
  waitUntilEqual('the number of open dead letters',
                 async () => valueOf(await pageOf('voucher-service'), 'checkout_dead_letters_open'), count);

async function pageOf(program) {
  return expectStatus(await stack.shop(stack.urlOf(program), undefined).get('/metrics'), 200).text;
}

/* Orders, payments that succeed, are declined and wait, a refund, vouchers; and an audit of them. */
before(async () => {
  await stack.must(['demo']);
  await untilQuiet(stack);
  await stack.must(['audit']);
});

describe('metrics', () => {
  for (const program of PROGRAMS) {
    test(`promtool has nothing to say about those of the ${program}, and no series is there twice`, async () => {
      const page = await pageOf(program);
      assert.deepEqual(await promtool(['check', 'metrics'], { input: page }), { code: 0, said: '' });
      const series = samplesOf(page).map(({ name, labels }) => name + labels);
      assert.ok(series.length > 20);
      assert.deepEqual(series.filter((one, i) => series.indexOf(one) !== i), []);
    });
  }

  test('the newest audit is a page of metrics', async () => {
    assert.deepEqual(await promtool(['check', 'metrics'], { input: auditFile() }), { code: 0, said: '' });
    const invariants = JSON.parse((await stack.must(['audit', '--json'])).stdout);
    const samples = samplesOf(auditFile());
    assert.deepEqual(
      samples.filter(({ name }) => name === 'checkout_audit_broken_rows').map(({ labels, value }) => [labels, value]),
      invariants.map(({ id }) => [`{invariant="${id}"}`, 0]),
    );
    const { value: seconds } = samples.find(({ name }) => name === 'checkout_audit_time_seconds');
    assert.ok(Math.abs(seconds - Date.now() / 1000) < 600, `${seconds}`);
  });

  test('a dead letter is counted as open until somebody has discarded it', async () => {
    const password = readFileSync(path.join(stack.home, 'secrets', 'broker-order-service'), 'utf8').trim();
    const topic = `checkout/v1/demo/order/${randomUUID()}/sent`;
    await publish(stack.env.MQTT_URL, { username: 'order-service', password }, [{ topic, payload: 'no event' }]);
    await untilOpenLetters(1);
    const operator = stack.vouchers(stack.env.CHECKOUT_OPERATOR_KEY);
    const [{ id }] = await operator.all('/v1/dead_letters', { status: 'open' });
    expectStatus(await operator.post(`/v1/dead_letters/${id}/discard`), 200);
    await untilOpenLetters(0);
  });

  test('an error is counted by what was said and its code, and is in the log', async () => {
    const labels = '{level="error",message="event became a dead letter",code=""}';
    const page = samplesOf(await pageOf('voucher-service'));
    const { value } = page.find((each) => each.name === 'checkout_errors_total' && each.labels === labels);
    const { stdout } = await stack.must(['logs', 'voucher-service']);
    assert.equal(value, stdout.split('"message":"event became a dead letter"').length - 1);
  });
});

const dashboard = JSON.parse(readFileSync(path.join(monitoring, 'grafana', 'dashboard.json'), 'utf8'));

/* Grafana replaces its variables; this is what a step of 15 s comes to. */
const EXPRESSIONS = dashboard.panels
  .flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))
  .map(({ title, expr }) => ({ title, expr: expr.replaceAll('$__rate_interval', '1m') }));

const rules = () => readFileSync(path.join(monitoring, 'alerts.yml'), 'utf8');

/** Names of ours in a text of rules or expressions, less those that the rules record themselves. */
const namesIn = (text) =>
  new Set([...text.matchAll(/\b(checkout_[a-z_]+|up)\b/g)].map(([name]) => name).filter((name) => name !== 'up'));

describe('rules and dashboard', () => {
  test('promtool takes the configuration and the rules, and each alert fires when it should', async () => {
    const options = { directory: monitoring };
    for (const args of [['check', 'config', 'prometheus.yml'], ['check', 'rules', 'alerts.yml'],
                        ['test', 'rules', 'alerts_test.yml']]) {
      const { code, said } = await promtool(args, options);
      assert.equal(code, 0, said);
    }
  });

  test('every alert is played, and has a section of its own in docs/monitoring.md', () => {
    const played = readFileSync(path.join(monitoring, 'alerts_test.yml'), 'utf8');
    const page = readFileSync(path.join(top, 'docs', 'monitoring.md'), 'utf8');
    const alerts = [...rules().matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    assert.ok(alerts.length >= 8);
    for (const alert of alerts) {
      assert.match(played, new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n`), `${alert} never fires`);
      assert.match(page, new RegExp(`^### ${alert}$`, 'm'));
    }
    const sections = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(sections.toSorted(), alerts.toSorted());
  });

  test('every metric that they name is on a page of the stack', async () => {
    const pages = (await Promise.all(PROGRAMS.map(pageOf))).join('') + auditFile();
    const there = new Set(samplesOf(pages).map(({ name }) => name));
    const named = [...namesIn(rules()), ...namesIn(EXPRESSIONS.map(({ expr }) => expr).join('\n'))];
    assert.ok(named.length > 20);
    assert.deepEqual(named.filter((name) => !there.has(name)), []);
  });

  test('every metric of the stack is told in docs/monitoring.md, and none that there is not', async () => {
    const pages = (await Promise.all(PROGRAMS.map(pageOf))).join('') + auditFile();
    const there = new Set([...pages.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const page = readFileSync(path.join(top, 'docs', 'monitoring.md'), 'utf8');
    const told = page
      .split('\n')
      .filter((line) => /^\| `(checkout|metrics)_/.test(line))
      .flatMap((line) => [...line.split('|')[1].matchAll(/`(\w+)`/g)].map(([, name]) => name));
    assert.deepEqual([...there].filter((name) => !told.includes(name)), []);
    /* what only appears when it happens, or with a collector of traces */
    const rare = ['checkout_trace_spans_exported_total', 'checkout_trace_spans_dropped_total',
                  'checkout_bank_contradictions_total', 'checkout_gateway_skipped_total'];
    assert.deepEqual(told.filter((name) => !there.has(name) && !rare.includes(name)), []);
  });

  test('the dashboard is provisioned with the data source that its panels name', () => {
    const folder = path.join(monitoring, 'grafana', 'provisioning');
    const source = readFileSync(path.join(folder, 'datasources', 'prometheus.yml'), 'utf8');
    assert.match(source, /^ {4}uid: checkout$/m);
    assert.match(readFileSync(path.join(folder, 'dashboards', 'checkout.yml'), 'utf8'), /^ {4}type: file$/m);
    const sources = dashboard.panels.flatMap(({ datasource, targets = [] }) =>
      [datasource, ...targets.map((target) => target.datasource)]).filter(Boolean);
    assert.ok(sources.length > 40);
    for (const one of sources) assert.deepEqual(one, { type: 'prometheus', uid: 'checkout' });
    const ids = dashboard.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });
});

describe('a Prometheus of the configuration, with targets and times of this stack', () => {
  const directory = path.join(stack.directory, 'prometheus');
  let exporter, prometheus;

  before(async () => {
    exporter = await servePage(auditFile);
    mkdirSync(directory);
    cpSync(path.join(monitoring, 'alerts.yml'), path.join(directory, 'alerts.yml'));
    const config = readFileSync(path.join(monitoring, 'prometheus.yml'), 'utf8')
      .replaceAll(/127\.0\.0\.1:(80\d\d)/g, (_, port) => `127.0.0.1:${stack.portBase + Number(port) - 8080}`)
      .replace('127.0.0.1:9100', `127.0.0.1:${exporter.port}`)
      .replaceAll('_interval: 15s', '_interval: 2s');
    const file = path.join(directory, 'prometheus.yml');
    writeFileSync(file, config);
    prometheus = new Prometheus(file, path.join(directory, 'data'), stack.portBase + 30);
    await prometheus.seesAllTargets();
    await stack.must(['demo']);
  });

  after(async () => {
    await prometheus?.stop();
    exporter?.close();
  });

  test('reaches every target', async () => {
    const { activeTargets } = await prometheus.get('targets?state=active');
    assert.deepEqual(activeTargets.map(({ labels }) => labels.job).toSorted(), [...PROGRAMS, 'audit'].toSorted());
  });

  for (const { title, expr } of EXPRESSIONS) {
    test(`answers "${title}": ${expr}`, async () => {
      await waitFor('an answer with samples', async () => (await prometheus.query(expr)).length > 0, {
        within: 20_000,
        every: 500,
      });
    });
  }

  test('evaluates every rule, and what would wake somebody up does not fire', async () => {
    const groups = await waitFor('the rules to be evaluated', async () => {
      const { groups } = await prometheus.get('rules');
      return groups.every(({ rules }) => rules.every(({ health }) => health !== 'unknown')) && groups;
    });
    const all = groups.flatMap(({ rules }) => rules);
    assert.deepEqual(all.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => [name, lastError]), []);
    const critical = all.filter(({ state, labels }) => state === 'firing' && labels.severity === 'critical');
    assert.deepEqual(critical.map(({ name }) => name), []);
  });
});
