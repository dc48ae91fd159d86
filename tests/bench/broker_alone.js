/*
 * The broker alone: a mosquitto of its own with the settings of ours, and one program that publishes
 * to itself (plain_bus.c).
 */
import { execFile, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';

import { buildDirectory, top } from '../support/launcher.js';
import { waitFor } from '../support/wait.js';

const run = promisify(execFile);

/* What an event of an order of three lines has. */
const BYTES = 1200;

/** Messages per second from a publisher through the broker to one subscriber. */
export async function brokerAlone(bench, messages) {
  const port = await freePort();
  const config = path.join(bench.stack.directory, 'plain-mosquitto.conf');
  const ours = readFileSync(path.join(top, 'deploy/broker/mosquitto.conf'), 'utf8');
  const alone = ours.replace('allow_anonymous false', 'allow_anonymous true').replace('persistence true', 'persistence false');
  writeFileSync(config, `${alone}\nlistener ${port} 127.0.0.1\n`);
  const broker = spawn('/usr/sbin/mosquitto', ['-c', config], { stdio: 'ignore' });
  try {
    await waitFor('a broker of its own', () => accepts(port));
    const { stdout } = await run(path.join(buildDirectory(), 'tests/bench/plain_bus'), [port, messages, BYTES].map(String));
    return messages / (Number(stdout) / 1000);
  } finally {
    broker.kill('SIGKILL');
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true) || socket.destroy());
    socket.once('error', () => resolve(false));
  });
}
