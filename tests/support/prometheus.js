/*
 * Prometheus' own tools: promtool, and a server for one test.
 */
import { execFile, spawn } from 'node:child_process';
import { createServer } from 'node:http';

import { SLOWDOWN } from './slowdown.js';
import { waitFor } from './wait.js';

/* A tool that needs longer hangs. */
const PATIENCE_MS = 60_000 * SLOWDOWN;

/** Runs promtool; resolves to { code, said } (both streams), whatever the exit code. */
export function promtool(args, { input, directory } = {}) {
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE_MS, cwd: directory };
    const child = execFile('promtool', args, options, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? error.signal) : 0, said: stdout + stderr });
    });
    child.stdin.end(input);
  });
}

/** The samples of a page of metrics: { name, labels, value }; histograms as their three names. */
export function samplesOf(page) {
  return page
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/.exec(line);
      return { name, labels, value: Number(value) };
    });
}

/** A server whose every answer is the text that `read()` gives: what an exporter of files would say. */
export async function servePage(read) {
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(read());
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { port: server.address().port, close: () => server.close() };
}

/** A Prometheus of its own. */
export class Prometheus {
  constructor(config, directory, port) {
    this.url = `http://127.0.0.1:${port}`;
    this.said = '';
    const options = [`--config.file=${config}`, `--storage.tsdb.path=${directory}`,
                     `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'];
    this.child = spawn('prometheus', options, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.on('error', (error) => (this.said += error.message));
    this.child.stderr.on('data', (chunk) => (this.said += chunk));
  }

  async get(path) {
    const answer = await fetch(`${this.url}/api/v1/${path}`, { signal: AbortSignal.timeout(10_000) });
    const { status, data, error } = await answer.json();
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data;
  }

  /** What an expression gives now. */
  async query(expression) {
    return (await this.get(`query?query=${encodeURIComponent(expression)}`)).result;
  }

  /** Waits until every target was asked and answered. */
  async seesAllTargets() {
    await waitFor('Prometheus to reach its targets', async (seen) => {
      seen(this.said);
      const { activeTargets } = await this.get('targets?state=active');
      seen(activeTargets.map(({ scrapeUrl, health, lastError }) => [scrapeUrl, health, lastError]));
      return activeTargets.length > 0 && activeTargets.every(({ health }) => health === 'up');
    }, { within: 30_000, every: 200 });
  }

  async stop() {
    const ended = new Promise((done) => this.child.once('close', done));
    if (this.child.exitCode === null && this.child.kill('SIGTERM')) await ended;
  }
}
