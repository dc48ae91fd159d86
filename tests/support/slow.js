/*
 * Slow clients: connections that send a byte now and then and so keep a server waiting - and the
 * healthy requests beside them, timed.
 */
import { setTimeout as pause } from 'node:timers/promises';

import { requestText } from './wire.js';

const DRIP_MS = 200;

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

/** The value below which that share of sorted times lies. */
export function percentile(times, share) {
  return times[Math.min(times.length - 1, Math.floor(times.length * share))];
}
