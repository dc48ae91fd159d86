/*
 * Slow clients: connections that send a byte now and then and so keep a server waiting - and the
 * healthy requests beside them, timed.
 */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

import { SLOWDOWN } from './slowdown.js';
import { requestText } from './wire.js';

const DRIP_MS = 200;

/* What the healthy are promised, of programs that no sanitizer slows down. */
const P99_MS = 200 * SLOWDOWN;

/* A machine that does much else at the moment may spoil one look, not each of them. */
const LOOKS = 3;

/** Opens connections that drip: `heads` never end their headers, `bodies` never their body. */
export class SlowClients {
  static async open(door, { heads, bodies }) {
    const connect = (count) => Promise.all(Array.from({ length: count }, () => door.connect()));
    return new SlowClients(door, await connect(heads), await connect(bodies));
  }

  constructor(door, heads, bodies) {
    Object.assign(this, { heads, bodies, wires: [...heads, ...bodies] });
    const announced = [...door.standard, 'Content-Length: 10000'];
    for (const wire of heads) wire.send('GET /v1/orders HTTP/1.1\r\nX-Slow: ');
    for (const wire of bodies) wire.send(requestText('POST /v1/orders HTTP/1.1', announced, '{'));
    this.timer = setInterval(() => this.drip(), DRIP_MS);
  }

  drip() {
    for (const wire of this.wires) if (!wire.ended) wire.send(' ');
  }

  get open() {
    return this.wires.filter((wire) => !wire.ended).length;
  }

  close() {
    clearInterval(this.timer);
    for (const wire of this.wires) wire.close();
  }
}

/**
 * Healthy requests, one after the other on each of `clients` connections, for as long as `goesOn`
 * says; how long each took, in milliseconds, shortest first. One that fails is an error.
 */
export async function timeRequests(ask, goesOn, { clients = 8, everyMs = 20 } = {}) {
  const times = [];
  const live = async () => {
    while (goesOn()) {
      const from = performance.now();
      await ask();
      times.push(performance.now() - from);
      await pause(everyMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, live));
  return times.sort((a, b) => a - b);
}

/** One of a few looks finds the healthy served in time; `look` answers what timeRequests() does. */
export async function expectHealthy(t, look) {
  let p99 = Infinity;
  for (let i = 0; i < LOOKS && p99 >= P99_MS; i++) {
    const times = await look();
    assert.ok(times.length > 100 / SLOWDOWN, `${times.length} healthy requests`);
    p99 = percentile(times, 0.99);
    t.diagnostic(`${times.length} healthy requests, p99 ${p99.toFixed(1)} ms`);
  }
  assert.ok(p99 < P99_MS, `p99 is ${p99} ms`);
}

/** The value below which that share of sorted times lies. */
function percentile(times, share) {
  return times[Math.min(times.length - 1, Math.floor(times.length * share))];
}
