/*
 * A collector of logs that listens for lines over TCP, and rsyslogd as deploy/monitoring sets it up, which
 * sends them.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import { top } from './launcher.js';

const CONFIGURATION = path.join(top, 'deploy', 'monitoring', 'rsyslog.conf');

export class LineCollector {
  constructor(port) {
    Object.assign(this, { port, lines: [], sockets: new Set() });
  }

  async open() {
    this.server = net.createServer((socket) => this.collect(socket));
    await new Promise((listening, failed) => {
      this.server.once('error', failed);
      this.server.listen(this.port, '127.0.0.1', listening);
    });
  }

  collect(socket) {
    let begun = '';
    this.sockets.add(socket);
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk) => {
      const lines = (begun + chunk).split('\n');
      begun = lines.pop();
      this.lines.push(...lines);
    });
  }

  /** Whoever is connected is cut off, and nobody else is let in. */
  async close() {
    const closed = new Promise((done) => this.server.close(done));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

export class Rsyslog {
  /** Follows `files`, a pattern, for the collector at `port`; keeps its state in `directory`. */
  constructor({ files, directory, port }) {
    mkdirSync(directory, { recursive: true });
    const env = { ...process.env, CHECKOUT_LOGS: files, SHIPPED: directory,
                  COLLECTOR: '127.0.0.1', COLLECTOR_PORT: String(port) };
    const args = ['-n', '-f', CONFIGURATION, '-i', path.join(directory, 'pid')];
    this.said = '';
    this.child = spawn('rsyslogd', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.on('error', (error) => (this.said += error.message));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk) => (this.said += chunk));
    }
  }

  async stop() {
    const ended = new Promise((done) => this.child.once('close', done));
    if (this.child.exitCode === null && this.child.kill('SIGTERM')) await ended;
  }
}
